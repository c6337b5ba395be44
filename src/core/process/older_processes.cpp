// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/older_processes.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/process.event.h"
#include "core/os/error.h"
#include "core/os/file.h"
#include "core/os/proc.h"
#include "core/os/proc_link.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

// Maximum processes that wait for the loop: 2 MiB of the longest command lines.
constexpr std::size_t ready_most = 64;

// Fills in executable and directory. /proc shows them from the top of the mounts, so the root
// directory of the process is removed from their front. These links do not block.
void read_paths(const std::string& directory, CommandLine& line) {
  std::optional<std::string> root = read_link(directory + "/root");
  if (!root) {
    return;
  }
  line.exe = within_root(read_link(directory + "/exe"), *root);
  line.cwd = within_root(read_link(directory + "/cwd"), *root);
}

}  // namespace

std::optional<OlderProcess> read_older_process(const std::string& directory, Pid pid) {
  std::optional<ProcStat> stat = read_proc_stat(directory);
  if (!stat || (stat->flags & (ProcStat::never_executed | ProcStat::kernel_thread)) != 0) {
    return std::nullopt;
  }
  std::optional<std::string> args = read_file(directory + "/cmdline", BPFTRAP_ARGS_SIZE + 1);
  if (!args || args->empty()) {
    return std::nullopt;
  }
  OlderProcess process{pid, stat->start_ticks, {}};
  if (args->size() > BPFTRAP_ARGS_SIZE) {
    args->resize(BPFTRAP_ARGS_SIZE);
    process.line.truncated = true;
  } else if (args->back() != '\0') {
    args->push_back('\0');  // a title that the process gave itself
  }
  process.line.args = std::move(args);
  read_paths(directory, process.line);
  return process;
}

struct OlderProcesses::Shared {
  explicit Shared(const std::string& proc)
      : walk(proc), event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  // The body of each thread.
  void read_all();
  // Returns the next process. None at the end.
  std::optional<std::pair<std::string, Pid>> next();
  void put(OlderProcess&& process);

  std::function<void()> confine;
  std::mutex mutex;  // guards all members below
  std::condition_variable room;
  ProcWalk walk;
  std::vector<OlderProcess> ready;
  bool abandoned = false;
  UniqueFd event;  // readable while `ready` holds a process
};

std::optional<std::pair<std::string, Pid>> OlderProcesses::Shared::next() {
  std::lock_guard<std::mutex> lock(mutex);
  if (abandoned || !walk.next()) {
    return std::nullopt;
  }
  return std::pair(walk.directory(), static_cast<Pid>(walk.pid()));
}

void OlderProcesses::Shared::put(OlderProcess&& process) {
  std::unique_lock<std::mutex> lock(mutex);
  room.wait(lock, [this] { return abandoned || ready.size() < ready_most; });
  ready.push_back(std::move(process));
  if (ready.size() == 1) {
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t written = ::write(event.get(), &one, sizeof one);
  }
}

void OlderProcesses::Shared::read_all() {
  try {
    confine();
    while (auto process = next()) {
      if (auto older = read_older_process(process->first, process->second)) {
        put(std::move(*older));
      }
    }
  } catch (const std::exception&) {
    // Without memory, the remaining processes have no command line.
  }
}

OlderProcesses::OlderProcesses(EventLoop& loop, const std::string& proc, Calls calls)
    : shared_(std::make_shared<Shared>(proc)), take_(std::move(calls.take)) {
  if (!shared_->event) {
    throw Error("cannot create an eventfd", errno);
  }
  shared_->confine = std::move(calls.confine);
  loop.watch(shared_->event.get(), EPOLLIN, [this](std::uint32_t) { take_all(); });
  for (int i = 0; i < threads; ++i) {
    try {
      std::thread([shared = shared_] { shared->read_all(); }).detach();
    } catch (const std::system_error& error) {
      throw Error("cannot start a thread", error.code().value());
    }
  }
}

OlderProcesses::~OlderProcesses() {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  shared_->abandoned = true;
  shared_->room.notify_all();
}

void OlderProcesses::take_all() {
  std::vector<OlderProcess> taken;
  {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    std::uint64_t count = 0;
    [[maybe_unused]] ssize_t size = ::read(shared_->event.get(), &count, sizeof count);
    taken.swap(shared_->ready);
    shared_->room.notify_all();
  }
  for (OlderProcess& process : taken) {
    take_(std::move(process));
  }
}

}  // namespace bpftrap
