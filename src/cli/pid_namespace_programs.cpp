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
#include "core/bpf/skeleton.h"
#include "core/os/error.h"
#include "core/os/pid_namespace.h"
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

// Runs the program that notes the ids of whoever runs it.
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

ListedProcess ProcessLister::find(Pid local_pid, std::string_view option) {
  std::optional<ListedProcess> process =
      programs_ ? list().find(local_pid) : read_listed_process("/proc", local_pid);
  if (!process) {
    throw Error(fmt::format("no process {} ({})", local_pid, option), 0,
                "run `ps -e` to list processes");
  }
  return *process;
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
