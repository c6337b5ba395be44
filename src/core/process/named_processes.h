// SPDX-License-Identifier: GPL-2.0-only
// The processes of --pid and --tree: the trace ends with them.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/os/event_loop.h"
#include "core/os/timer.h"
#include "core/os/unique_fd.h"
#include "core/process/process_list.h"

namespace bpftrap {

// A process that exists, and a descriptor that becomes readable when all of its threads have ended:
// the kernel submits its record before that.
struct NamedProcess {
  ListedProcess process;
  UniqueFd pidfd;
};

// Calls `find` for a process by its number in bpftrap's own pid namespace, and opens its pidfd.
// `option` names it. If that is not the same process, or it has ended, throws Error, as does
// `find`.
NamedProcess open_process(Pid local_pid, std::string_view option,
                          const std::function<ListedProcess()>& find);

// Whether there are some, and none of them lives.
bool all_have_ended(const std::vector<NamedProcess>& processes);

// Calls back when all of some processes have ended. They must outlive this.
class AllEnded {
 public:
  AllEnded(EventLoop& loop, const std::vector<NamedProcess>& processes, std::function<void()> then);
  AllEnded(const AllEnded&) = delete;
  AllEnded& operator=(const AllEnded&) = delete;

 private:
  std::size_t left_;
  std::function<void()> then_;
};

// Stops the loop when the processes of --tree and all of their descendants have ended.
class TreesEnd {
 public:
  // `none_left` is asked every 20 ms once the roots have ended.
  TreesEnd(EventLoop& loop, const std::vector<NamedProcess>& roots,
           std::function<bool()> none_left);

 private:
  std::function<bool()> none_left_;
  Timer ask_;
  AllEnded roots_;
};

}  // namespace bpftrap
