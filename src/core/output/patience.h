// SPDX-License-Identifier: GPL-2.0-only
// How long the end of a trace waits for a slow reader of the output. Without a signal it waits as
// long as the reader takes. From the first signal on it waits for a bounded time. A second signal
// ends the wait at once.
#pragma once

#include <chrono>
#include <optional>

#include "core/os/signals.h"

namespace bpftrap {

class Patience {
 public:
  // After a signal: the time in which the reader must accept something, and the time in all.
  struct Bounds {
    std::chrono::milliseconds without_progress{2000};
    std::chrono::milliseconds in_all{20'000};
  };

  explicit Patience(StopSignals& signals) : Patience(signals, Bounds()) {}
  Patience(StopSignals& signals, Bounds bounds) : signals_(signals), bounds_(bounds) {}

  // A signal has come: limits the time from now on.
  void limit();
  // Waits until `fd` accepts more. Returns false, from then on always, if the time is over.
  bool await_writable(int fd);
  bool is_over() const { return over_; }

 private:
  int next_timeout();

  StopSignals& signals_;
  Bounds bounds_;
  std::optional<std::chrono::steady_clock::time_point> end_;
  bool over_ = false;
};

}  // namespace bpftrap
