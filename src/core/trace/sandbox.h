// SPDX-License-Identifier: GPL-2.0-only
// Least privilege: what a tracer that is attached does not need any more, it gives up. What it is
// allowed after that is in sandbox_filter.cpp; docs/security.md says what that is good for.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bpftrap {

// What is needed on.
struct SandboxNeeds {
  // Signals are handed on to PROGRAM, which may run as another user by now: CAP_KILL.
  bool signals_program = false;
  // /proc/PID of others is still to be read: opening files for reading, CAP_SYS_PTRACE, and
  // CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE. To be given up by a second call.
  bool reads_files = false;
  // Whether BPF maps can be read with the capabilities in effect. Where not, CAP_BPF stays, or
  // CAP_SYS_ADMIN: kernels before 5.19 demand it where kernel.unprivileged_bpf_disabled is set
  // (kernel/bpf/syscall.c __sys_bpf()). Empty: they are not read.
  std::function<bool()> can_read_maps = {};
};

// Gives up capabilities, sets no_new_privs and installs the filter of system calls: for this thread
// and what it starts from now on, for good. A process that was started before is not affected.
// Never fails: returns, one line each, what this kernel would not do.
std::vector<std::string> enter_sandbox(const SandboxNeeds& needs);

}  // namespace bpftrap
