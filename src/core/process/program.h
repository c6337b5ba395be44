// SPDX-License-Identifier: GPL-2.0-only
// PROGRAM of `exec -- PROGRAM` and `exit -- PROGRAM`: a child that waits at a gate until tracing is
// live. Its pid goes into the scope of the BPF programs, its pidfd into the event loop, its status
// becomes bpftrap's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/os/caller.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

struct ProgramOptions {
  // The program's name, looked for in PATH where it has no slash, and its arguments.
  std::vector<std::string> argv;
  // Standard output goes where standard error goes.
  bool stdout_to_stderr = false;
  // PROGRAM runs as this user, with that user's environment; else as bpftrap, with bpftrap's.
  std::optional<Caller> caller = {};
};

// PROGRAM starts with no signal blocked and all of them at their defaults, except that a SIGHUP
// which was ignored stays so (nohup). It stays in bpftrap's process group, so that the terminal's
// Ctrl-C and Ctrl-Z reach it. Of descriptors it has those that bpftrap was started with.
class Program {
 public:
  // Forks. What is to stay bpftrap's own must be O_CLOEXEC by now; signals that it has blocked are
  // unblocked in the child. Puts SIGCHLD to its default: where it is ignored there is no status to
  // wait for. Throws Error.
  explicit Program(const ProgramOptions& options);
  // Kills a program that was not released; one that was goes on.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Stays its own until ended() or exit_status() has told of its end.
  pid_t pid() const { return pid_; }
  // Readable from its end on, also after that was told of.
  int pidfd() const { return pidfd_.get(); }

  // Lets it execute. What fails then, the child says itself on standard error; exit_status() is
  // 127 (not found), 126 (cannot be executed) or 125 (cannot become the user).
  void release();
  bool released() const { return !gate_; }

  // Sends it the signal, and SIGCONT after it, as timeout(1) does: one that is stopped could not
  // end. False where it has ended or may not be signalled.
  bool signal(int number);

  // Whether it has ended; does not wait.
  bool ended();

  // Waits for the end of a program that was released: its exit status, or 128+N where signal N
  // ended it.
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
