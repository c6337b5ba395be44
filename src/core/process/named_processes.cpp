// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/named_processes.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

constexpr std::chrono::milliseconds ask_interval{20};

bool has_ended(int pidfd) {
  pollfd ready{pidfd, POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

}  // namespace

NamedProcess open_process(Pid local_pid, std::string_view option,
                          const std::function<ListedProcess()>& find) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(local_pid), 0)));
  int err = errno;
  NamedProcess named{find(), std::move(pidfd)};
  if (!named.pidfd && err != ESRCH) {
    throw Error(fmt::format("cannot watch process {} ({})", local_pid, option), err);
  }
  // If the process of the descriptor still lives, `find` found the same process.
  if (!named.pidfd || has_ended(named.pidfd.get())) {
    throw Error(fmt::format("process {} has just ended ({})", local_pid, option), 0);
  }
  return named;
}

bool all_have_ended(const std::vector<NamedProcess>& processes) {
  return !processes.empty() &&
         std::all_of(processes.begin(), processes.end(),
                     [](const NamedProcess& named) { return has_ended(named.pidfd.get()); });
}

AllEnded::AllEnded(EventLoop& loop, const std::vector<NamedProcess>& processes,
                   std::function<void()> then)
    : left_(processes.size()), then_(std::move(then)) {
  for (const NamedProcess& named : processes) {
    loop.watch(named.pidfd.get(), EPOLLIN | EPOLLONESHOT, [this](std::uint32_t) {
      if (--left_ == 0) {
        then_();
      }
    });
  }
}

TreesEnd::TreesEnd(EventLoop& loop, const std::vector<NamedProcess>& roots,
                   std::function<bool()> none_left)
    : none_left_(std::move(none_left)),
      roots_(loop, roots, [this] { ask_.arm(ask_interval, true); }) {
  loop.watch(ask_.fd(), EPOLLIN, [this, &loop](std::uint32_t) {
    if (ask_.take() && none_left_()) {
      loop.stop();
    }
  });
}

}  // namespace bpftrap
