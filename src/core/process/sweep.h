// SPDX-License-Identifier: GPL-2.0-only
// Finds what is kept of processes whose end was not told, in two steps, so that nothing is
// forgotten of a process whose end is still to be read.
#pragma once

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/record/record.h"

namespace bpftrap {

// Whether nobody has this pid any more, not even a process that is to be waited for. Its end was
// reported then, for that comes before: kernel/exit.c do_exit().
inline bool is_gone(Pid pid) {
  return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

// Keeps something of processes, for which a sweep is made (core/trace/sweeper.h).
class Sweepable {
 public:
  virtual ~Sweepable() = default;

  virtual bool wants_sweep() const = 0;
  // Looks which of the processes are dead …
  virtual void mark_dead() = 0;
  // … and forgets those: every record that was submitted before mark_dead() has been handled.
  virtual void forget_dead() = 0;
};

// Of a map by Key, which is the pid or has it.
template <class Key>
class Sweep {
 public:
  // Entries before it is looked for those of the dead.
  static constexpr std::size_t least = 4096;

  // Whether there are more than `least`, and than twice as many as the last sweep left.
  bool is_due(std::size_t entries) const { return entries > at_; }

  // Marks the dead. `local_pid` returns an entry's pid in bpftrap's own pid namespace, or 0 outside
  // it: nobody here can ask whether such a process exists, so its entry stays.
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

  // The marked ones, which may be forgotten by now: to be asked for when each record that was
  // submitted before mark() has been handled.
  std::vector<Key> take_dead() { return std::exchange(dead_, {}); }

  // So many entries are left.
  void set_left(std::size_t entries) { at_ = std::max(least, 2 * entries); }

 private:
  std::vector<Key> dead_;
  std::size_t at_ = least;
};

}  // namespace bpftrap
