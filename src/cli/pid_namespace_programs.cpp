// SPDX-License-Identifier: GPL-2.0-only
#include "cli/pid_namespace_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "bpf/pid_namespace.event.h"
#include "bpf/scope.h"
#include "core/bpf/skeleton.h"
#include "core/os/error.h"
#include "core/os/pid_namespace.h"
#include "core/os/proc.h"
#include "core/os/unique_fd.h"
#include "pid_namespace.skel.h"

namespace bpftrap {

namespace {

using Loaded = LoadedSkeleton<pid_namespace_bpf>;

Loaded load(std::string_view command, const std::string& btf, bool lists) {
  OpenSkeleton<pid_namespace_bpf> open(command, btf);
  bpf_program__set_autoload(open.progs().list_processes, lists);
  return std::move(open).load();
}

// Runs the program that notes the ids of the process that runs it.
OwnIds run_own_ids(Loaded& loaded) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  int fd = bpf_program__fd(loaded.progs().own_ids);
  if (int err = bpf_prog_test_run_opts(fd, &options); err != 0) {
    throw Error("cannot find out bpftrap's own process id in the initial pid namespace", -err,
                "it needs Linux 5.10 or later");
  }
  const bpftrap_own_ids& own = loaded.bss().own;
  return {own.pid, own.tid, own.level, own.level == 0 ? 0 : own.pid_namespace};
}

std::string written(const PidOrId& wanted) {
  return wanted.start_boot_ns == 0 ? std::to_string(wanted.pid)
                                   : fmt::format("{}-{}", wanted.pid, wanted.start_boot_ns);
}

}  // namespace

OwnIds own_ids(std::string_view command, const std::string& btf) {
  if (own_pid_namespace() == PidNamespace::initial) {
    return {static_cast<Pid>(::getpid()), static_cast<Pid>(::syscall(SYS_gettid)), 0, 0};
  }
  Loaded loaded = load(command, btf, false);
  return run_own_ids(loaded);
}

struct ProcessLister::Programs {
  Programs(std::string_view command, const std::string& btf) : loaded(load(command, btf, true)) {}

  Loaded loaded;
};

ProcessLister::ProcessLister(std::string_view command, const std::string& btf) {
  if (own_pid_namespace() == PidNamespace::initial && proc_shows_everyone("/proc")) {
    return;
  }
  programs_ = std::make_unique<Programs>(command, btf);
  run_own_ids(programs_->loaded);
}

ProcessLister::ProcessLister(ProcessLister&&) noexcept = default;
ProcessLister::~ProcessLister() = default;

// An id has the number in the initial namespace.
Pid ProcessLister::local_pid_of(const PidOrId& wanted) {
  if (!programs_ || wanted.start_boot_ns == 0) {
    return wanted.pid;
  }
  std::optional<ListedProcess> process = list().find_initial(wanted.pid);
  return process ? process->local_pid : 0;
}

ListedProcess ProcessLister::find_listed(Pid local_pid, const PidOrId& wanted,
                                         std::string_view option) {
  if (std::optional<pid_t> group = read_thread_group(fmt::format("/proc/{}", local_pid));
      group && *group != static_cast<pid_t>(local_pid)) {
    throw Error(fmt::format("{} is a thread, not a process ({})", local_pid, option), 0,
                fmt::format("give its process: {} {}", option, *group));
  }
  errno = 0;
  std::optional<ListedProcess> process =
      programs_ ? list().find(local_pid) : read_listed_process("/proc", local_pid);
  if (!process && (errno == EMFILE || errno == ENFILE)) {
    throw Error(fmt::format("cannot look for process {} ({})", written(wanted), option), errno);
  }
  if (process && wanted.start_boot_ns != 0 &&
      process->start_ticks != wanted.start_boot_ns / BPFTRAP_TICK_NS) {
    throw Error(fmt::format("no process {} ({})", written(wanted), option), 0,
                "it has ended, and another process has its pid");
  }
  if (!process) {
    throw Error(fmt::format("no process {} ({})", written(wanted), option), 0,
                "run `ps -e` to list processes");
  }
  if (process->state == ListedProcess::State::ended) {
    throw Error(fmt::format("process {} has ended and is a zombie ({})", written(wanted), option),
                0, "give a process that runs");
  }
  return *process;
}

NamedProcess ProcessLister::find(const PidOrId& wanted, std::string_view option) {
  Pid local_pid = local_pid_of(wanted);
  return open_process(local_pid, option, [&] { return find_listed(local_pid, wanted, option); });
}

ProcessList ProcessLister::list() {
  if (!programs_) {
    return read_process_list("/proc");
  }
  constexpr const char* step = "cannot list the processes of this pid namespace";
  std::unique_ptr<bpf_link, DestroyLink> link(
      bpf_program__attach_iter(programs_->loaded.progs().list_processes, nullptr));
  if (!link) {
    throw Error(step, errno);
  }
  UniqueFd iterator(bpf_iter_create(bpf_link__fd(link.get())));
  if (!iterator) {
    throw Error(step, errno);
  }
  std::vector<std::byte> rows;
  constexpr std::size_t piece = std::size_t{64} << 10;
  for (;;) {
    std::size_t size = rows.size();
    rows.resize(size + piece);
    ssize_t count = ::read(iterator.get(), rows.data() + size, piece);
    rows.resize(size + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count == 0) {
      return parse_listed_processes(rows);
    }
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      throw Error(step, errno);
    }
  }
}

}  // namespace bpftrap
