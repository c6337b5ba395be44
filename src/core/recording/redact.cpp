// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/redact.h"

#include <algorithm>
#include <cstring>

#include "bpf/process.event.h"
#include "core/record/decode.h"

namespace bpftrap {

std::string redact_exec(std::span<const std::byte> record, const Redaction& redaction,
                        std::uint32_t env_size) {
  std::string bytes(reinterpret_cast<const char*>(record.data()), record.size());
  bpftrap_exec_event event{};
  if (!read_wire(record, event)) {
    return bytes;
  }
  // The arguments are the last data.
  std::size_t begin = bytes.size() - std::min<std::size_t>(event.args_len, bytes.size());
  std::string args = bytes.substr(begin);
  bytes.resize(begin);
  redaction.append(bytes, args);
  if ((event.flags & BPFTRAP_EXEC_REDACTED) == 0) {
    bool cut = event.args_len < event.args_size;
    event.flags |= BPFTRAP_EXEC_REDACTED | (cut ? BPFTRAP_EXEC_ARGS_CUT : 0);
  }
  event.args_len = static_cast<std::uint32_t>(bytes.size() - begin);
  event.env_len = env_size;
  event.header.size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &event, sizeof event);
  return bytes;
}

std::string environment_of(std::span<const std::byte> exec_record, std::string_view strings) {
  bpftrap_exec_event exec{};
  bpftrap_environment_event event{};
  read_wire(exec_record, exec);
  event.header = exec.header;
  event.header.size = static_cast<std::uint32_t>(sizeof event + strings.size());
  event.header.fixed = sizeof event;
  event.header.kind = BPFTRAP_RECORD_ENVIRONMENT;
  event.start_boot_ns = exec.process.start_boot_ns;
  event.pid = exec.process.pid;
  event.len = static_cast<std::uint32_t>(strings.size());
  return std::string(reinterpret_cast<const char*>(&event), sizeof event).append(strings);
}

}  // namespace bpftrap
