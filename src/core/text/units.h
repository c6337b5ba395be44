// SPDX-License-Identifier: GPL-2.0-only
// What people write on the command line – times, sizes, counts, process ids – as typed values.
// First step of the way in: options → here → the command's configuration.
//
// Every function throws std::invalid_argument on a value that it refuses. Its text is the second
// half of a sentence ("is not a time; expected …"): the caller puts option and value before it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace bpftrap {

/// A number (`90`, `1.5`, `.5`) with `ns`, `us`, `ms`, `s`, `m`, `h` or `d`, or several of these,
/// which add up (`1h30m`), or a bare number in units of `bare_unit` (> 0). Exact: no binary
/// fraction is involved, and parts of a nanosecond are cut off. Refuses empty, negative, unknown
/// units, less than a nanosecond, and more than 63 bits of nanoseconds.
std::chrono::nanoseconds parse_duration(std::string_view text, std::chrono::nanoseconds bare_unit);

/// Bytes: a whole number, or one with `K`, `M`, `G` or `T` (powers of 1024, either case). May be 0.
std::uint64_t parse_size(std::string_view text);

/// A whole number from 1.
std::uint64_t parse_count(std::string_view text);

/// A process id, 1 to 2^22 (PID_MAX_LIMIT of a 64-bit kernel, include/linux/threads.h).
std::uint32_t parse_pid(std::string_view text);

}  // namespace bpftrap
