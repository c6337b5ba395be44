// SPDX-License-Identifier: GPL-2.0-only
// From the bytes of one ring-buffer record to a record struct. The only part of user space that
// knows the wire structs (src/bpf/*.event.h).
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "core/record.h"

namespace bpftrap {

// Bytes that are no record: too short, of another version, of an unknown kind, or with lengths that
// contradict each other. The caller counts them.
struct Malformed {};

using Decoded = std::variant<Malformed, HelloRecord, ExecRecord, ExitRecord, CgroupRecord>;

// Never throws and reads no byte beyond `bytes`. The result's views point into `bytes`.
Decoded decode(std::span<const std::byte> bytes);

}  // namespace bpftrap
