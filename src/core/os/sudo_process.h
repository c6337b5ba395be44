// SPDX-License-Identifier: GPL-2.0-only
// The sudo or doas process that bpftrap is a child of, as /proc shows it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/os/environment.h"

namespace bpftrap {

// sudo or doas, waiting for the command that it started.
struct SudoProcess {
  enum class Tool { sudo, doas };

  Tool tool = Tool::sudo;
  // The real ids: those of the caller. sudo gives up the real gid, so `gid` counts for doas only.
  uid_t uid = 0;
  gid_t gid = 0;
  // As the caller passed it, before sudo changed it for the command.
  Environment environment;
  // Words of its command line before those of bpftrap: options, and variables for the command.
  std::vector<std::string> words;
  // Supplementary groups of the process that called it. None if that process has ended or belongs
  // to another user.
  std::optional<std::vector<gid_t>> caller_groups;
};

// The process `pid`, if it is sudo or doas: root's executable of that name, with root's rights.
// With use_pty it may be sudo's monitor, a fork that has the same environment. None also if the
// environment cannot be read (without CAP_SYS_PTRACE).
std::optional<SudoProcess> sudo_process(pid_t pid, const std::string& proc = "/proc");

}  // namespace bpftrap
