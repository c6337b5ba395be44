// SPDX-License-Identifier: GPL-2.0-only
// What `exec` and `exit` share beyond their BPF programs: from options to a running tracer.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/process.event.h"
#include "cli/host.h"
#include "cli/trace_options.h"
#include "core/error.h"
#include "core/followed.h"
#include "core/process_stream.h"
#include "core/program.h"

namespace bpftrap {

struct ProcessCommand {
  std::string name;
  std::vector<std::string_view> columns;
  CommandScope scope;
  ProcessStreamOptions stream;
};

// Gives a map of keys room for these, at least for one: a map of none cannot be created.
void size_key_map(bpf_map* map, const std::vector<std::uint32_t>& keys);

// Puts the keys into the loaded map. Throws Error.
void fill_key_map(const bpf_map* map, const std::vector<std::uint32_t>& keys);

// Exit status with -- PROGRAM where it is not PROGRAM's, as timeout(1) and env(1) have it.
inline constexpr int bpftrap_itself_failed = 125;

// Whether programs may call bpf_loop(): src/bpf/process_exit.bpf.h.
bool kernel_has_bpf_loop();

// Whether a program may be left out for an event, as the kernel runs it for another one on the same
// CPU: since 7.0. It depends on the kernel's preemption model, too, which nothing tells.
bool kernel_preempts_programs();

// Which of a process tracer's programs to load.
template <class Programs>
void choose_programs(Programs& programs, const bpftrap_scope& scope) {
  bool loops = kernel_has_bpf_loop();
  bool forks = scope.follow != 0 || scope.report_forks != 0;
  bool twice = scope.twice != 0;
  bpf_program__set_autoload(programs.on_exit, loops);
  bpf_program__set_autoload(programs.on_exit_before_5_17, !loops);
  bpf_program__set_autoload(programs.on_exit_again, twice);
  bpf_program__set_autoload(programs.on_exec_again, twice);
  bpf_program__set_autoload(programs.on_fork, forks);
  bpf_program__set_autoload(programs.on_fork_again, forks && twice);
}

// Those whose runs are counted; what is not loaded has no descriptor.
template <class Programs>
std::vector<CountedProgram> counted_programs(const Programs& programs) {
  auto count = [](std::size_t kind, const bpf_program* first, const bpf_program* second) {
    return CountedProgram{kind, bpf_program__fd(first), bpf_program__fd(second)};
  };
  return {count(BPFTRAP_RECORD_EXEC, programs.on_exec, programs.on_exec_again),
          count(BPFTRAP_RECORD_EXIT, programs.on_exit, programs.on_exit_again),
          count(BPFTRAP_LOST_MARKS, programs.on_fork, programs.on_fork_again)};
}

// Makes tracing programs of those that will be loaded and keep marks in task storage.
void make_tracing_programs(bpf_object* object, std::string_view command);

// The file descriptors of --cgroup: a path in the file system, or one within the hierarchy as
// records show it. Throws Error.
std::vector<UniqueFd> open_cgroups(const std::vector<std::string>& paths);

// Puts them into the loaded map. Throws Error.
void fill_cgroup_map(const bpf_map* map, const std::vector<UniqueFd>& cgroups);

// Throws Error where a process of --tree does not exist.
void require_processes(const std::vector<std::uint32_t>& pids);

// PROGRAM while it is traced: lets it go, waits for its end, hands signals on.
class ProgramRun {
 public:
  ProgramRun(Program& program, Host& host, Followed& followed, LostCounter lost, bool wait_all);

  TraceHooks hooks();

 private:
  bool ends_run(StopSignals::Taken signal);
  void ended();

  Program& program_;
  Host& host_;
  Followed& followed_;
  LostCounter lost_;
  bool wait_all_;
  bool forwarded_ = false;
  Timer last_descendant_;
};

// Open, configure, load, attach, trace; the exit status. `Skeleton` is that of a process tracer
// (src/bpf/process.bpf.h); `choose` may say which of its programs to load.
template <class Skeleton, class Choose>
int trace(ProcessCommand command, const TraceOptions& options, Choose&& choose) {
  require_processes(options.trees);
  std::vector<UniqueFd> cgroups = open_cgroups(options.cgroups);
  Host host(options.output);
  OpenSkeleton<Skeleton> open(command.name, options.btf);
  bpftrap_scope& scope = open.rodata().cfg;
  scope = make_scope(options, command.scope);
  bool by_task = options.btf.empty() && (scope.follow != 0 || scope.filter_names != 0 ||
                                         scope.filter_uids != 0 || scope.cgroups != 0)
                     ? kernel_has_task_storage()
                     : false;
  scope.task_storage = by_task ? 1 : 0;
  scope.twice = kernel_preempts_programs() ? 1 : 0;
  auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  bpf_map__set_max_entries(open.maps().records, ring_buffer_bytes(options.buffer_size, page));
  bpf_map__set_autocreate(open.maps().task_marks, by_task);
  size_key_map(open.maps().pids, options.pids);
  size_key_map(open.maps().uids, options.uids);
  choose_programs(open.progs(), scope);
  choose(open.progs());
  if (by_task) {
    make_tracing_programs(open.object(), command.name);
  }
  LoadedSkeleton<Skeleton> loaded = std::move(open).load();
  auto& maps = loaded.maps();
  fill_key_map(maps.pids, options.pids);
  fill_key_map(maps.uids, options.uids);
  fill_cgroup_map(maps.cgroups, cgroups);
  Followed followed({bpf_map__fd(maps.pid_marks), by_task ? bpf_map__fd(maps.task_marks) : -1,
                     bpf_map__fd(maps.followed)});
  loaded.attach();
  for (std::uint32_t pid : options.trees) {
    followed.add_tree(static_cast<pid_t>(pid), "/proc");
  }
  command.stream.summary = options.summary;
  command.stream.color = wants_color(options.output, host.output());
  ProcessStream stream(command.stream);
  auto run = [&](TraceHooks hooks) {
    hooks.programs = counted_programs(loaded.progs());
    return host.trace<ExecRecord, ExitRecord>(command.name, std::move(command.columns), loaded,
                                              stream, std::move(hooks));
  };
  if (options.program.empty()) {
    return run({});
  }
  // Not earlier, or the time it takes to get here would count as its own.
  Program program({options.program, options.output.output.empty()});
  followed.add_child(program.pid());
  LostCounter lost(bpf_map__fd(maps.lost), counted_programs(loaded.progs()));
  ProgramRun program_run(program, host, followed, std::move(lost), options.wait_all);
  int status = run(program_run.hooks());
  return program.ended() ? program.exit_status() : status;
}

// The same; with PROGRAM a failure of bpftrap's own has another exit status.
template <class Skeleton, class Choose>
int trace_processes(ProcessCommand command, const TraceOptions& options, Choose&& choose) {
  try {
    return trace<Skeleton>(std::move(command), options, choose);
  } catch (const Error& error) {
    if (options.program.empty()) {
      throw;
    }
    say(error);
    return bpftrap_itself_failed;
  }
}

}  // namespace bpftrap
