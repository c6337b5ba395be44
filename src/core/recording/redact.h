// SPDX-License-Identifier: GPL-2.0-only
// Applies --redact to the bytes of records before they are kept.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/process/argument_filter.h"

namespace bpftrap {

// Returns the record of an exec with other arguments, and with `env_size` bytes of environment
// before it.
std::string redact_exec(std::span<const std::byte> record, const Redaction& redaction,
                        std::uint32_t env_size);

// Returns a record of the environment of that exec.
std::string environment_of(std::span<const std::byte> exec_record, std::string_view strings);

}  // namespace bpftrap
