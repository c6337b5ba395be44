// SPDX-License-Identifier: GPL-2.0-only
// Parses values of the command line: times, sizes, counts and process ids. The result goes into the
// command's configuration.
//
// Every function throws std::invalid_argument on a value that it refuses. The exception's text is
// half a sentence ("is not a time; expected …"); the caller puts the option and value before it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace bpftrap {

/// Accepts a number (`90`, `1.5`, `.5`) with `ns`, `us`, `ms`, `s`, `m`, `h` or `d`, or several of
/// these, which add up (`1h30m`). A bare number is in units of `bare_unit` (> 0). The result is
/// exact, apart from fractions of a nanosecond, which are cut off. Refuses an empty or negative
/// value, an unknown unit, less than a nanosecond, and more than 63 bits of nanoseconds.
std::chrono::nanoseconds parse_duration(std::string_view text, std::chrono::nanoseconds bare_unit);

/// Returns bytes. Accepts a whole number, optionally with `K`, `M`, `G` or `T` (powers of 1024,
/// either case). May be 0.
std::uint64_t parse_size(std::string_view text);

/// Accepts a whole number, 1 or more.
std::uint64_t parse_count(std::string_view text);

/// Accepts a process id: 1 to 2^22 (PID_MAX_LIMIT of a 64-bit kernel, include/linux/threads.h).
std::uint32_t parse_pid(std::string_view text);

/// A process by its pid, or by its id as records show it: `PID-START`.
struct PidOrId {
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;  // 0: not given, as no process starts with the clock

  bool operator==(const PidOrId&) const = default;
};
PidOrId parse_pid_or_id(std::string_view text);

}  // namespace bpftrap
