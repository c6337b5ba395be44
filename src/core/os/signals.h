// SPDX-License-Identifier: GPL-2.0-only
// SIGINT, SIGTERM and SIGHUP through a descriptor (signalfd).
#pragma once

#include <csignal>

#include "core/os/unique_fd.h"

namespace bpftrap {

// A SIGHUP that was ignored (nohup) stays ignored.
class StopSignals {
 public:
  // Blocks them for the process, permanently. Ignores SIGPIPE and SIGXFSZ, so that a write fails
  // instead, and SIGTTOU, so that another process of the terminal cannot stop it. Throws Error.
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  struct Taken {
    int number = 0;          // 0: none came
    bool by_kernel = false;  // such as Ctrl-C: the terminal's whole foreground job received it
  };

  int fd() const { return fd_.get(); }
  // Call it when readable.
  Taken take();

 private:
  UniqueFd fd_;
};

// Blocks all signals for the calling thread. A thread that starts meanwhile never takes a signal,
// which would have its default effect there.
class BlockedSignals {
 public:
  BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals();

 private:
  sigset_t before_{};
};

}  // namespace bpftrap
