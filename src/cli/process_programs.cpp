// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of `exec` and `exit` (src/bpf/process.bpf.c), from open to traced.
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/process.event.h"
#include "cli/process_command.h"
#include "core/bpf/kernel_features.h"
#include "core/bpf/recursion_misses.h"
#include "core/bpf/skeleton.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/memory_limit.h"
#include "core/os/pid_namespace.h"
#include "core/process/followed.h"
#include "core/process/last_descendant.h"
#include "core/process/program.h"
#include "core/process/program_run.h"
#include "process.skel.h"

namespace bpftrap {

namespace {

using Programs = decltype(process_bpf::progs);

// Programs that are loaded twice if the kernel may miss events: see recursion_misses.h.
std::array<ProgramPair, 3> program_pairs(const Programs& programs) {
  return {{{BPFTRAP_RECORD_EXEC, programs.on_exec, programs.on_exec_second},
           {BPFTRAP_RECORD_EXIT, programs.on_exit, programs.on_exit_second},
           {BPFTRAP_LOST_MARKS, programs.on_fork, programs.on_fork_second}}};
}

// Which of a process tracer's programs to load.
void choose_programs(const Programs& programs, const bpftrap_scope& scope, bool failed_execs) {
  bool loops = kernel_has_bpf_loop();
  bpf_program__set_autoload(programs.on_exit, loops);
  bpf_program__set_autoload(programs.on_exit_before_5_17, !loops);
  bpf_program__set_autoload(programs.on_failed_exec, failed_execs);
  bpf_program__set_autoload(programs.on_fork, scope.follow != 0 || scope.report_forks != 0);
  load_second_copies(program_pairs(programs), scope.twice != 0);
}

// Makes tracing programs of those that will be loaded and keep marks in task storage.
void make_tracing_programs(bpf_object* object, std::string_view command) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    std::string_view name = bpf_program__name(program);
    if (bpf_program__autoload(program) && name != "on_signal" && name != "on_cgroup_release") {
      make_tracing(program, command);
    }
  }
}

// The wait for the reader of --output was stopped.
int stopped_before_start(const TraceOptions& options) {
  if (!options.program.empty()) {
    throw Error("did not start '" + options.program.front() + "'", 0);
  }
  return ended_as_asked;
}

}  // namespace

int trace_processes(const ProcessCommand& command, const TraceOptions& options) {
  require_processes(options.trees);
  std::vector<UniqueFd> cgroups = open_cgroups(options.cgroups);
  std::unique_ptr<Host> opened = Host::open(options.output);
  if (!opened) {
    return stopped_before_start(options);
  }
  Host& host = *opened;
  OpenSkeleton<process_bpf> open(command.name, options.btf);
  bpftrap_scope& scope = open.rodata().cfg;
  scope = make_scope(options, command.scope);
  bool judged = bpftrap_keeps_verdicts(&scope) != 0;
  bool by_task = options.btf.empty() && (scope.follow != 0 || judged) && kernel_has_task_storage();
  scope.task_storage = by_task ? 1 : 0;
  scope.twice = kernel_misses_events() ? 1 : 0;
  if (options.wait_all && scope.twice != 0) {
    scope.report_forks = 1;  // for LastDescendant, as an end may be missed
  }
  auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  bpf_map__set_max_entries(open.maps().records, ring_buffer_bytes(options.buffer_size, page));
  bpf_map__set_autocreate(open.maps().task_marks, by_task);
  // Raw tracepoints want memory that is there already: before 6.1 the kernel warns of them
  // otherwise (kernel/bpf/verifier.c check_map_prog_compatibility()).
  bpf_map__set_map_flags(open.maps().pid_marks, by_task ? __u32{BPF_F_NO_PREALLOC} : 0);
  bpf_map__set_autocreate(open.maps().pid_marks, scope.follow != 0 || (judged && !by_task));
  size_key_map(open.maps().pids, options.pids);
  choose_programs(open.progs(), scope, command.failed_execs);
  if (by_task) {
    make_tracing_programs(open.object(), command.name);
  }
  LoadedSkeleton<process_bpf> loaded = std::move(open).load();
  auto& maps = loaded.maps();
  fill_key_map(maps.pids, options.pids);
  fill_cgroup_map(maps.cgroups, cgroups);
  Followed followed({bpf_map__fd(maps.pid_marks), by_task ? bpf_map__fd(maps.task_marks) : -1,
                     bpf_map__fd(maps.followed)});
  loaded.attach();
  loaded.bss().live_since = static_cast<__u64>(BootClock::now().time_since_epoch().count());
  for (std::uint32_t pid : options.trees) {
    followed.add_tree(static_cast<pid_t>(pid), "/proc");
  }
  ProcessStreamOptions stream_options = command.stream;
  stream_options.pids_are_own = own_pid_namespace() == PidNamespace::initial;
  stream_options.command_line_bytes = memory_share(CommandLines::bytes_most);
  stream_options.summary = options.summary;
  stream_options.color = wants_color(options.output, host.output());
  ProcessStream stream(stream_options);
  auto run = [&](TraceExtras extras) {
    extras.observer = &stream;
    extras.sweeps.insert(extras.sweeps.begin(), &stream);
    if (stream.reads_older()) {
      extras.read_files = [&stream] { return stream.read_older(); };
    }
    extras.programs = counted_programs(program_pairs(loaded.progs()));
    return host.trace<ExecRecord, ExitRecord>(command.name, command.columns, loaded, stream,
                                              std::move(extras));
  };
  if (options.program.empty()) {
    return run({});
  }
  // Not earlier, or the time it takes to get here would count as its own.
  Program program({options.program, options.output.output.empty()});
  followed.add_child(program.pid());
  TraceExtras extras;
  std::optional<LastDescendant> last;
  if (options.wait_all) {
    last.emplace(LastDescendant::Sources{[&followed] { return followed.count(); },
                                         [&stream] { return stream.born(); }},
                 LostCounter(LossSources::of_kernel(bpf_map__fd(maps.lost)),
                             counted_programs(program_pairs(loaded.progs()))));
    extras.sweeps.push_back(&*last);
  }
  ProgramRun program_run(program, host.loop(), last ? &*last : nullptr);
  extras.program = &program_run;
  int status = run(std::move(extras));
  return program.ended() ? program.exit_status() : status;
}

void try_programs(std::string_view command, bool failed) {
  OpenSkeleton<process_bpf> open(command, "");
  open.rodata().cfg.twice = kernel_misses_events() ? 1 : 0;
  choose_programs(open.progs(), open.rodata().cfg, failed);
  bpf_map__set_autocreate(open.maps().task_marks, kernel_has_task_storage());
  bpf_map__set_autocreate(open.maps().pid_marks, false);
  LoadedSkeleton<process_bpf> loaded = std::move(open).load();
  loaded.attach();
}

}  // namespace bpftrap
