// SPDX-License-Identifier: GPL-2.0-only
// The parents of processes, for the column ANCESTORS, --forest and --fail-on. A process is kept
// after its end as long as a descendant lives. Memory is bounded, because a process that forks and
// ends, again and again, leaves an endless chain of dead ancestors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/process/process_list.h"
#include "core/process/sweep.h"
#include "core/record/record.h"

namespace bpftrap {

class Genealogy {
 public:
  // Maximum bytes of all entries. If they are used up, dead ancestors are forgotten. If that is not
  // enough, new processes are not remembered.
  static constexpr std::size_t bytes_most = std::size_t{64} << 20;
  static constexpr std::size_t bytes_of_entry = 128;
  // Maximum number of ancestors that are followed up.
  static constexpr std::size_t ancestors_most = 64;

  // Which ancestors make a level of --forest: those that have a row of their own. A process that
  // existed at the start makes a level only once it executes a program.
  enum class Levels { processes, programs };

  explicit Genealogy(Levels levels, std::size_t most = bytes_most)
      : levels_(levels), entries_most_(most / bytes_of_entry) {}

  // Adds processes that exist at the start.
  void add_older(const ProcessList& list);

  void forked(const Process& child);
  // `wanted`: the exec passes the filters of the kernel.
  void executed(const Process& process, bool wanted);
  void ended(const ProcessId& id);

  // Ancestors by birth, the parent first. A new real parent does not matter. The result is valid
  // until the next call of any function.
  Ancestors ancestors_of(const Process& process);
  // The level of a process that has a row.
  unsigned level_of(const Process& process);

  // Steps of a sweep, for ends without a record: see sweep.h.
  bool wants_sweep() const { return sweep_.is_due(living()); }
  void mark_dead();
  void forget_dead();

  std::size_t size() const { return members_.size(); }
  std::size_t most() const { return entries_most_; }
  // Processes that found no room.
  std::uint64_t refused() const { return refused_; }

 private:
  // The start is rounded down to a clock tick, because /proc shows no more. No pid is used again
  // within a tick.
  using Key = ProcessId;

  struct Member {
    Key parent;  // pid 0: there is none
    Pid local_pid = 0;
    std::uint32_t children = 0;  // members whose `counted` refers to this one
    unsigned level = 0;
    bool counted = false;    // the parent's `children` includes this one
    bool has_level = false;  // it makes a level, which is `level`
    bool dead = false;
    std::array<char, 16> comm{};  // ends with a NUL, or is full

    void rename(std::string_view name);
    std::string_view name() const;
  };

  using Members = std::unordered_map<Key, Member, ProcessIdHash>;

  static Key key_of(const ProcessId& id);
  std::size_t living() const { return members_.size() - dead_; }
  Member* find(const Key& key);
  // Returns the member, new if need be. Null if there is no room.
  Member* find_or_add(const Key& key, Pid local_pid, std::string_view comm);
  bool has_room();
  void link(Member& child, const Key& parent);
  // Adds a process and its parent, with what its record tells of both.
  Member* add(const Process& process);
  // The level of a child of this one: one more than the next ancestor that makes a level.
  unsigned level_below(const Member& child);
  // Removes a dead member without descendants, and ancestors of which that was the last one.
  void release(Members::iterator member);

  Levels levels_;
  std::size_t entries_most_;
  Members members_;
  std::size_t dead_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<Ancestor> found_;  // the result of ancestors_of()
  Sweep<Key> sweep_;
};

}  // namespace bpftrap
