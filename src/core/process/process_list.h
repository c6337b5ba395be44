// SPDX-License-Identifier: GPL-2.0-only
// Existing processes, with their ids in two pid namespaces. The user, kill() and /proc use the
// numbers of bpftrap's own namespace; BPF programs see those of the initial one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/record/record.h"

namespace bpftrap {

// Ids of bpftrap itself.
struct OwnIds {
  Pid pid = 0;  // in the initial namespace: thread-group id and thread id
  Pid tid = 0;
  std::uint32_t level = 0;          // of bpftrap's pid namespace; 0: the initial one
  std::uint64_t pid_namespace = 0;  // its address in the kernel; 0 at level 0
};

struct ListedProcess {
  Pid pid = 0;        // in the initial namespace
  Pid parent = 0;     // likewise
  Pid local_pid = 0;  // in bpftrap's namespace
  std::uint64_t start_ticks = 0;
  enum class State {
    alive,
    ending,  // no thread will run a program any more
    ended,   // a zombie: its end was reported
  };
  State state = State::alive;
  std::string comm = {};
};

// The processes of bpftrap's pid namespace, and of those below it, at one moment.
class ProcessList {
 public:
  explicit ProcessList(std::vector<ListedProcess> processes);

  // The process with this number in bpftrap's own namespace.
  std::optional<ListedProcess> find(Pid local_pid) const;
  // The process with this number in the initial namespace.
  std::optional<ListedProcess> find_initial(Pid pid) const;
  // The same process in this list.
  std::optional<ListedProcess> find(const ListedProcess& earlier) const;

  // All of them, in the order of local_pid.
  const std::vector<ListedProcess>& all() const { return processes_; }

  // The process, if it is in the list, and its descendants. Zombies are included.
  std::vector<ListedProcess> tree(const ListedProcess& root) const;

 private:
  std::vector<ListedProcess> processes_;
};

// Parses the structs bpftrap_listed_process that the iterator of src/bpf/pid_namespace.bpf.c
// writes.
ProcessList parse_listed_processes(std::span<const std::byte> rows);

// These read `proc` ("/proc"). Use them in the initial pid namespace only: /proc has local numbers.
std::optional<ListedProcess> read_listed_process(const std::string& proc, Pid pid);
ProcessList read_process_list(const std::string& proc);

// True if /proc shows the processes of all users. It does not if it is mounted with hidepid.
bool proc_shows_everyone(const std::string& proc);

}  // namespace bpftrap
