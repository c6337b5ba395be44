// SPDX-License-Identifier: GPL-2.0-only
// Least privilege: an attached tracer gives up what it no longer needs.
// vendor/tools/sandbox_filter.cpp lists what remains allowed. docs/security.md explains the
// purpose.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bpftrap {

// Privileges that the tracer still needs.
struct SandboxNeeds {
  // Forward signals to PROGRAM, which may run as another user: keeps CAP_KILL.
  bool signals_program = false;
  // Read /proc/PID of other processes: keeps opening files for reading, and CAP_SYS_PTRACE, without
  // which the links exe, cwd and root of other users' processes cannot be read.
  bool reads_files = false;
  // Returns true if BPF maps can be read with the current effective capabilities. If they cannot,
  // CAP_BPF or CAP_SYS_ADMIN is kept. Kernels before 5.19 require one of them if
  // kernel.unprivileged_bpf_disabled is set (kernel/bpf/syscall.c, __sys_bpf()). Empty: no map is
  // read.
  std::function<bool()> can_read_maps = {};
};

// Gives up capabilities, sets no_new_privs and installs the system call filter. This is permanent
// and applies to the calling thread and its future children, not to processes that already run.
// Never fails: returns one line for each step that this kernel refused.
std::vector<std::string> enter_sandbox(const SandboxNeeds& needs);

}  // namespace bpftrap
