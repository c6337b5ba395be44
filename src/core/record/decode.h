// SPDX-License-Identifier: GPL-2.0-only
// Decodes one ring-buffer record into a record struct. Only this module knows the wire structs of
// the process tracers (src/bpf/process.event.h).
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

// An invalid record: too short, another version, an unknown kind, or contradictory lengths. The
// caller counts these.
struct Malformed {};

// Checks the frame and returns the bytes in use. Every decoder calls this first. Returns nullopt if
// the bytes are not a record of this version.
std::optional<std::span<const std::byte>> unframe(std::span<const std::byte> bytes,
                                                  bpftrap_record_header& header);

// Copies the wire struct at the front of `bytes`, which may be unaligned. Returns false if there
// are too few bytes.
template <class Wire>
bool read_wire(std::span<const std::byte> bytes, Wire& out) {
  static_assert(
      requires { is_wire_struct(static_cast<const Wire*>(nullptr)); },
      "put BPFTRAP_WIRE_STRUCT(name, bytes) behind the struct: see src/bpf/record.h");
  if (bytes.size() < sizeof(Wire)) {
    return false;
  }
  std::memcpy(&out, bytes.data(), sizeof(Wire));
  return true;
}

// Returns a wire char array up to its first NUL. `offset` is its position in `bytes`.
std::string_view wire_text(std::span<const std::byte> bytes, std::size_t offset, std::size_t size);

// Converts a wire time stamp.
BootTime wire_time(std::uint64_t boot_ns);

using Decoded = std::variant<Malformed, ExecRecord, ExitRecord, CgroupRecord, CgroupGoneRecord,
                             ForkRecord, GoneRecord, EnvironmentRecord, FinalRecord>;

// Properties of the machine that records come from, which may be another one than this.
struct Machine {
  std::uint64_t page_size = 4096;
};
const Machine& this_machine();

// Never throws and never reads beyond `bytes`. The views in the result point into `bytes`.
Decoded decode(std::span<const std::byte> bytes, const Machine& machine = this_machine());

// The same for bytes that unframe() returned, as a record of this kind.
Decoded decode_as(std::span<const std::byte> record, std::uint8_t kind, const Machine& machine);

}  // namespace bpftrap
