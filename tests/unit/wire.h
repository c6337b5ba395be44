// SPDX-License-Identifier: GPL-2.0-only
// Bytes of records, built by hand as the BPF programs would leave them in the ring buffer.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/process.event.h"

namespace bpftrap {

using Bytes = std::vector<std::byte>;

template <class Wire>
Bytes bytes_of(const Wire& wire, std::string_view data = {}) {
  Bytes bytes(sizeof wire + data.size());
  std::memcpy(bytes.data(), &wire, sizeof wire);
  if (!data.empty()) {
    std::memcpy(bytes.data() + sizeof wire, data.data(), data.size());
  }
  return bytes;
}

// The data behind the event struct has `data` bytes of `size`.
inline bpftrap_record_header wire_header(std::uint8_t kind, std::size_t size,
                                         std::size_t data = 0) {
  return {static_cast<std::uint32_t>(size), static_cast<std::uint16_t>(size - data),
          BPFTRAP_WIRE_VERSION, kind, 5'000'000'000};
}

inline bpftrap_process wire_process() {
  bpftrap_process process{};
  process.start_boot_ns = 4'000'000'000;
  process.parent_start_boot_ns = 3'000'000'000;
  process.cgroup_id = 77;
  process.pid = 1234;
  process.ppid = 1200;
  process.local_pid = 34;
  process.local_ppid = 1;
  process.ns_pid = 4;
  process.pid_ns_inode = 4026532000;
  process.uid = 1000;
  process.gid = 1001;
  process.euid = 1002;
  process.egid = 1003;
  process.login_uid = 1004;
  process.audit_session = 5;
  process.session_id = 1100;
  process.process_group = 1150;
  std::strcpy(process.tty, "pts3");
  std::strcpy(process.comm, "child");
  std::strcpy(process.parent_comm, "parent");
  return process;
}

inline bpftrap_fork_event wire_fork() {
  bpftrap_fork_event event{};
  event.header = wire_header(BPFTRAP_RECORD_FORK, sizeof event);
  event.process = wire_process();
  event.account = {500, 600, 15, 1201, 0};
  event.creator_pid = event.process.ppid;
  event.creator_start_boot_ns = event.process.parent_start_boot_ns;
  return event;
}

inline bpftrap_sender wire_sender() {
  bpftrap_sender sender{};
  sender.start_boot_ns = 20;
  sender.pid = 1001;
  sender.local_pid = 1;
  std::strcpy(sender.comm, "systemd");
  return sender;
}

// The data are filename and interp, each with its NUL, and argv.
inline Bytes wire_exec(std::string_view filename, std::string_view interp, std::string_view args,
                       std::uint64_t args_size) {
  bpftrap_exec_event event{};
  std::string data;
  for (std::string_view text : {filename, interp}) {
    if (!text.empty()) {
      data.append(text).push_back('\0');
    }
  }
  event.header = wire_header(BPFTRAP_RECORD_EXEC, sizeof event + data.size() + args.size(),
                             data.size() + args.size());
  event.process = wire_process();
  event.cap_effective = 0x1'0000'0001;
  event.args_size = args_size;
  event.exec_id = 21;
  event.args_len = static_cast<std::uint32_t>(args.size());
  event.filename_len = static_cast<std::uint16_t>(filename.empty() ? 0 : filename.size() + 1);
  event.interp_len = static_cast<std::uint16_t>(interp.empty() ? 0 : interp.size() + 1);
  return bytes_of(event, data.append(args));
}

// The same of `/bin/x`, with the names of its files.
inline Bytes wire_exec_of(const bpftrap_path (&paths)[BPFTRAP_PATHS], std::string_view names) {
  Bytes bytes = wire_exec("/bin/x", "", std::string_view("x", 2), 2);
  auto* event = reinterpret_cast<bpftrap_exec_event*>(bytes.data());
  std::memcpy(event->paths, paths, sizeof event->paths);
  event->header.size += static_cast<std::uint32_t>(names.size());
  const auto* begin = reinterpret_cast<const std::byte*>(names.data());
  bytes.insert(bytes.begin() + sizeof(bpftrap_exec_event), begin, begin + names.size());
  return bytes;
}

inline Bytes wire_cgroup(std::string_view names, std::uint32_t flags = 0) {
  bpftrap_cgroup_event event{};
  event.header = wire_header(BPFTRAP_RECORD_CGROUP, sizeof event + names.size(), names.size());
  event.id = wire_process().cgroup_id;
  event.names_len = static_cast<std::uint32_t>(names.size());
  event.flags = flags;
  return bytes_of(event, names);
}

inline Bytes wire_environment(std::string_view strings) {
  bpftrap_environment_event event{};
  event.header =
      wire_header(BPFTRAP_RECORD_ENVIRONMENT, sizeof event + strings.size(), strings.size());
  event.start_boot_ns = wire_process().start_boot_ns;
  event.pid = wire_process().pid;
  event.len = static_cast<std::uint32_t>(strings.size());
  return bytes_of(event, strings);
}

inline bpftrap_exit_event wire_exit(int wait_status) {
  bpftrap_exit_event event{};
  event.header = wire_header(BPFTRAP_RECORD_EXIT, sizeof event);
  event.process = wire_process();
  event.wait_status = static_cast<std::uint32_t>(wait_status);
  event.utime_ns = 4'000'000;
  event.stime_ns = 4'000'000;
  event.runtime_ns = 6'000'000;
  event.flags = BPFTRAP_EXIT_HAD_THREADS;
  event.run_delay_ns = 700;
  event.parent = {500, 600, 15, 1201, 1};
  event.max_rss_pages = 3;
  event.exec_id = 21;
  event.io_read_bytes = 4096;
  event.io_write_bytes = 8192;
  event.minor_faults = 11;
  event.major_faults = 12;
  event.voluntary_switches = 13;
  event.involuntary_switches = 14;
  return event;
}

}  // namespace bpftrap
