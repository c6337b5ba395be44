// SPDX-License-Identifier: GPL-2.0-only
// Finds state of processes whose end was not reported. Two steps make sure that a process whose
// exit record is still in the ring buffer keeps its state.
#pragma once

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/record/record.h"

namespace bpftrap {

// True if no process has this pid, not even a zombie. Its exit record is then in the ring buffer,
// because that comes first: kernel/exit.c do_exit().
inline bool is_gone(Pid pid) {
  return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

// An owner of per-process state that takes part in sweeps (core/trace/sweeper.h).
class Sweepable {
 public:
  virtual ~Sweepable() = default;

  virtual bool wants_sweep() const = 0;
  // Lists the dead processes …
  virtual void mark_dead() = 0;
  // … and forgets them, after every record submitted before mark_dead() was handled.
  virtual void forget_dead() = 0;
};

// The sweep of one map. Key is a pid or contains one.
template <class Key>
class Sweep {
 public:
  // Minimum number of entries before a sweep.
  static constexpr std::size_t least = 4096;

  // Whether there are more than `least`, and than twice as many as the last sweep left.
  bool is_due(std::size_t entries) const { return entries > at_; }

  // Marks the dead. `local_pid` returns an entry's pid in bpftrap's own pid namespace, or 0 outside
  // it. bpftrap cannot ask whether a process outside exists, so its entry stays.
  template <class Map, class LocalPid>
  void mark(const Map& map, LocalPid local_pid) {
    dead_.clear();
    for (const auto& entry : map) {
      Pid pid = local_pid(entry);
      if (pid != 0 && is_gone(pid)) {
        dead_.push_back(entry.first);
      }
    }
  }

  // The marked entries. Call it after every record submitted before mark() was handled; then they
  // may be forgotten.
  std::vector<Key> take_dead() { return std::exchange(dead_, {}); }

  // Number of entries that are left.
  void set_left(std::size_t entries) { at_ = std::max(least, 2 * entries); }

 private:
  std::vector<Key> dead_;
  std::size_t at_ = least;
};

}  // namespace bpftrap
