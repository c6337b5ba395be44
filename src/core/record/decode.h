// SPDX-License-Identifier: GPL-2.0-only
// From the bytes of one ring-buffer record to a record struct. Nothing behind it knows the wire
// structs of the process tracers (src/bpf/process.event.h).
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "bpf/record.h"
#include "core/record/record.h"

namespace bpftrap {

// Bytes that are no record: too short, of another version, of an unknown kind, or with lengths that
// contradict each other. The caller counts them.
struct Malformed {};

// The front of every decoder: checks the frame and yields the bytes in use; none where it is not a
// record of this version.
std::optional<std::span<const std::byte>> unframe(std::span<const std::byte> bytes,
                                                  bpftrap_record_header& header);

// Copies the wire struct at the front of `bytes`, which need not be aligned; false where they are
// too few.
template <class Wire>
bool read_wire(std::span<const std::byte> bytes, Wire& out) {
  if (bytes.size() < sizeof(Wire)) {
    return false;
  }
  std::memcpy(&out, bytes.data(), sizeof(Wire));
  return true;
}

// A char array of the wire, from its place within `bytes`, up to the first NUL.
std::string_view wire_text(std::span<const std::byte> bytes, std::size_t offset, std::size_t size);

// A time stamp of the wire.
BootTime wire_time(std::uint64_t boot_ns);

using Decoded =
    std::variant<Malformed, ExecRecord, ExitRecord, CgroupRecord, CgroupGoneRecord, BirthRecord>;

// Never throws and reads no byte beyond `bytes`. The result's views point into `bytes`.
Decoded decode(std::span<const std::byte> bytes);

}  // namespace bpftrap
