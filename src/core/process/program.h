// SPDX-License-Identifier: GPL-2.0-only
// PROGRAM of `-- PROGRAM`: a child that waits at a gate until tracing is live. Its pidfd goes into
// the event loop. Its status becomes bpftrap's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/os/caller.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

struct ProgramOptions {
  // The program's name and its arguments. A name without a slash is searched in PATH.
  std::vector<std::string> argv;
  // Send standard output to standard error.
  bool stdout_to_stderr = false;
  // Run as this user, with that user's environment. None: as bpftrap, with bpftrap's.
  std::optional<Caller> caller = {};
};

// PROGRAM starts with no signal blocked and all signals at their defaults; an ignored SIGHUP stays
// ignored (nohup). It stays in bpftrap's process group, so that the terminal's Ctrl-C and Ctrl-Z
// reach it. It inherits the descriptors that bpftrap was started with.
class Program {
 public:
  // Forks. Descriptors that PROGRAM must not inherit must be O_CLOEXEC by now. Unblocks signals in
  // the child. Sets SIGCHLD to its default, because an ignored SIGCHLD leaves no status to wait
  // for. Throws Error.
  explicit Program(const ProgramOptions& options);
  // Kills a program that was not released. A released one runs on.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // The kernel does not use it again before ended() or exit_status() has reported the end.
  pid_t pid() const { return pid_; }
  // Readable after PROGRAM has ended.
  int pidfd() const { return pidfd_.get(); }

  // Lets it execute. The child reports its own failure on standard error; exit_status() is then 127
  // (not found), 126 (cannot be executed) or 125 (cannot become the user).
  void release();
  bool released() const { return !gate_; }

  // Sends the signal, then SIGCONT as timeout(1) does, so that a stopped program can end. False if
  // it has ended or may not be signalled.
  bool signal(int number);

  // True if it has ended. Does not wait.
  bool ended();

  // Waits for the end of a released program. Returns its exit status, or 128+N after signal N.
  int exit_status();

 private:
  void wait(int options);

  UniqueFd gate_;      // one byte opens it, its end ends a child that waits; closed once released
  UniqueFd gate_end_;  // kept so that writing into the gate of a dead child raises no SIGPIPE
  UniqueFd pidfd_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace bpftrap
