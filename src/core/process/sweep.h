// SPDX-License-Identifier: GPL-2.0-only
// Finds state of processes whose end was not reported. Two steps make sure that a process whose
// exit record is still in the ring buffer keeps its state.
#pragma once

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/os/clock.h"
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

// Whether lost ends call for a sweep. Starts at most one per interval.
class SweepOfLosses {
 public:
  void ends_lost() { lost_ = true; }
  bool is_due() const { return lost_ && BootClock::now() - swept_ > interval; }
  void started() {
    lost_ = false;
    swept_ = BootClock::now();
  }

 private:
  static constexpr std::chrono::seconds interval{10};

  bool lost_ = false;
  BootTime swept_;
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
  // it. bpftrap cannot ask whether a process outside exists, so its entry stays until another
  // process has its pid. The number of pids bounds such entries.
  template <class Map, class LocalPid>
  void mark(const Map& map, LocalPid local_pid) {
    dead_.clear();
    std::vector<Key> left;
    for (const auto& entry : map) {
      Pid pid = local_pid(entry);
      (pid != 0 && is_gone(pid) ? dead_ : left).push_back(entry.first);
    }
    if constexpr (std::is_same_v<Key, ProcessId>) {
      mark_predecessors(left);
    }
  }

  // The marked entries. Call it after every record submitted before mark() was handled; then they
  // may be forgotten.
  std::vector<Key> take_dead() { return std::exchange(dead_, {}); }

  // Number of entries that are left.
  void set_left(std::size_t entries) { at_ = std::max(least, 2 * entries); }

 private:
  // Marks processes whose pid another one has now.
  void mark_predecessors(std::vector<ProcessId>& ids) {
    std::sort(ids.begin(), ids.end(), [](const ProcessId& a, const ProcessId& b) {
      return std::tie(a.pid, a.start_ns) < std::tie(b.pid, b.start_ns);
    });
    for (std::size_t i = 1; i < ids.size(); ++i) {
      if (ids[i].pid == ids[i - 1].pid) {
        dead_.push_back(ids[i - 1]);
      }
    }
  }

  std::vector<Key> dead_;
  std::size_t at_ = least;
};

}  // namespace bpftrap
