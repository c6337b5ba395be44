// SPDX-License-Identifier: GPL-2.0-only
#include "cli/load_programs.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/process.event.h"
#include "cli/process_scope.h"
#include "core/bpf/background_load.h"
#include "core/bpf/direct_reads.h"
#include "core/bpf/kernel_features.h"
#include "core/bpf/libbpf_log.h"
#include "core/bpf/program_handler.h"
#include "core/bpf/tracing_hook.h"
#include "core/os/kernel_version.h"
#include "process_direct.skel.h"

namespace bpftrap {

std::array<ProgramPair, 3> program_pairs(const ProcessPrograms& programs, bool write_forks) {
  bpf_program* exit =
      bpf_program__autoload(programs.on_exit) ? programs.on_exit : programs.on_exit_before_5_17;
  std::uint32_t fork_kind = write_forks ? BPFTRAP_RECORD_FORK : BPFTRAP_KIND_MARK;
  return {{{BPFTRAP_RECORD_EXEC, programs.on_exec, programs.on_exec_second},
           {BPFTRAP_RECORD_EXIT, exit, programs.on_exit_second},
           {fork_kind, programs.on_fork, programs.on_fork_second}}};
}

namespace {

using Maps = decltype(process_bpf::maps);

// Which of a process tracer's programs to load.
void choose_programs(const ProcessPrograms& programs, const bpftrap_scope& scope,
                     bool failed_execs) {
  bool loops = kernel_has_bpf_loop();
  bpf_program__set_autoload(programs.on_exit, loops);
  bpf_program__set_autoload(programs.on_exit_before_5_17, !loops);
  bpf_program__set_autoload(programs.on_failed_exec, failed_execs && loops);
  bpf_program__set_autoload(programs.on_failed_exec_before_5_17, failed_execs && !loops);
  bpf_program__set_autoload(programs.on_fork,
                            scope.follow != 0 || scope.report_forks != 0 || scope.write_forks != 0);
  bpf_program__set_autoload(programs.on_cgroup_mkdir, scope.cgroups_count != 0);
  load_second_copies(program_pairs(programs, scope.write_forks != 0), scope.twice != 0);
}

// Makes tracing programs of those that will be loaded and keep marks in task storage.
void make_tracing_programs(bpf_object* object, std::string_view command) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    std::string_view name = bpf_program__name(program);
    if (bpf_program__autoload(program) && name != "on_signal" && name != "on_delivery" &&
        name != "on_free" && !name.starts_with("on_cgroup_")) {
      make_tracing(program, command);
    }
  }
}

// The hook of on_signal.
TracingHook& signal_hook() {
  static TracingHook hook("signal_generate");
  hook.type().id = 0;
  return hook;
}

// Chooses the maps that store_signals() implies.
void choose_signal_maps(const Maps& maps, const bpftrap_scope& scope) {
  bool by_task = scope.signal_storage != 0;
  bpf_map__set_autocreate(maps.task_signals, by_task);
  if (by_task) {
    bpf_map__set_type(maps.known_signals, BPF_MAP_TYPE_HASH);
    bpf_map__set_max_entries(maps.known_signals, 1024);
  }
}

// Sizes the maps, and leaves out those that are not needed.
void configure_maps(const Maps& maps, const bpftrap_scope& scope, const TraceOptions& options,
                    const WatchedCgroups& cgroups) {
  bool by_task = scope.task_storage != 0;
  bpf_map__set_autocreate(maps.task_marks, by_task);
  // Raw tracepoints want memory that is there already: before 6.1 the kernel warns of them
  // otherwise (kernel/bpf/verifier.c check_map_prog_compatibility()).
  bpf_map__set_map_flags(maps.pid_marks, by_task ? __u32{BPF_F_NO_PREALLOC} : 0);
  bpf_map__set_autocreate(maps.pid_marks, scope.follow != 0 || bpftrap_keeps_verdicts(&scope) != 0);
  bpf_map__set_autocreate(maps.older_execs, scope.exits_of_execs != 0);
  bpf_map__set_max_entries(maps.pids,
                           static_cast<__u32>(std::max<std::size_t>(options.pids.size(), 1)));
  bpf_map__set_autocreate(maps.deferred_execs, scope.deferred_execs != 0);
  // One entry for each program that walks paths: src/bpf/path.bpf.h.
  __u32 walks = chosen_events(options).failed_execs ? 3 : scope.twice != 0 ? 2 : 1;
  bpf_map__set_max_entries(maps.path_walks, walks);
  if (scope.twice == 0) {
    bpf_map__set_max_entries(maps.cgroup_walks, 1);  // src/bpf/cgroup.bpf.h
    bpf_map__set_max_entries(maps.usual_execs, 1);
    bpf_map__set_max_entries(maps.costs, 1);
  }
  bpf_map__set_autocreate(maps.environments, scope.env != 0);
  size_cgroup_maps(maps.cgroup_nodes, maps.cgroup_numbers, cgroups);
}

// How the programs read memory of the kernel: src/bpf/read.bpf.h.
enum class Reads { direct, by_calls };

// Opens the programs that read directly. Both objects come from one source, so that one has the
// skeleton of the other.
process_bpf* open_direct(const bpf_object_open_opts* options) {
  static_assert(sizeof(process_direct_bpf) == sizeof(process_bpf));
  static_assert(sizeof(*process_direct_bpf::rodata) == sizeof(*process_bpf::rodata));
  static_assert(sizeof(*process_direct_bpf::bss) == sizeof(*process_bpf::bss));
  SkeletonPointer<process_bpf> skeleton(
      static_cast<process_bpf*>(std::calloc(1, sizeof(process_bpf))));
  int err = skeleton ? process_bpf__create_skeleton(skeleton.get()) : -ENOMEM;
  if (err == 0) {
    bpf_object_skeleton& description = *skeleton->skeleton;
    std::size_t size = 0;
    description.data = const_cast<void*>(process_direct_bpf::elf_bytes(&size));
    description.data_sz = size;
    err = bpf_object__open_skeleton(&description, options);
  }
  errno = -err;
  return err == 0 ? skeleton.release() : nullptr;
}

OpenSkeleton<process_bpf> configure(const LoadSetup& setup, Reads reads) {
  OpenSkeleton<process_bpf> open(setup.command.name, setup.options.btf,
                                 reads == Reads::direct ? open_direct : process_bpf::open);
  open.rodata().cfg = setup.scope;
  configure_maps(open.maps(), setup.scope, setup.options, setup.cgroups);
  choose_programs(open.progs(), setup.scope, chosen_events(setup.options).failed_execs);
  choose_signal_maps(open.maps(), setup.scope);
  if (setup.scope.task_storage != 0) {
    make_tracing_programs(open.object(), setup.command.name);
  }
  return open;
}

LoadedSkeleton<process_bpf> load(const LoadSetup& setup, Reads reads) {
  TracingHook& signals = signal_hook();
  OpenSkeleton<process_bpf> open = configure(setup, reads);
  std::vector<WantedType*> wanted;
  if (setup.scope.signal_storage != 0) {
    wanted.push_back(&signals.type());
  }
  if (reads == Reads::direct) {
    wanted.push_back(&read_function());
  }
  open.read_types(wanted);
  setup.records.become(open.maps().records);
  return std::move(open).load();
}

// Loads the programs whose verification takes longest beside the others.
LoadedSkeleton<process_bpf> load_in_parallel(const LoadSetup& setup, Reads reads) {
  static BackgroundLoad longest({"sched_process_exit", "sched_process_exec"});
  longest.begin();
  LoadedSkeleton<process_bpf> loaded = load(setup, reads);
  return longest.finish() ? std::move(loaded) : load(setup, reads);
}

// Numbers in a file of --btf may be those of another kernel.
bool may_read_directly(const TraceOptions& options) {
  return kernel_is_at_least(6, 17) && options.btf.empty();
}

}  // namespace

LoadedSkeleton<process_bpf> load_programs(const LoadSetup& setup) {
  static ProgramHandler others({"sched_process_fork", "sched_process_free", "signal_deliver",
                                "sys_exit", "cgroup_release", "cgroup_mkdir"});
  if (may_read_directly(setup.options)) {
    try {
      return load_in_parallel(setup, Reads::direct);
    } catch (const BpfError&) {
      LibbpfLog::take_warnings();  // what stops the other programs as well is reported by these
    }
  }
  return load_in_parallel(setup, Reads::by_calls);
}

void try_programs(std::string_view command, bool failed) {
  TracingHook& signals = signal_hook();
  OpenSkeleton<process_bpf> open(command, "");
  open.rodata().cfg.twice = kernel_misses_events() ? 1 : 0;
  store_signals(open.rodata().cfg, "");
  choose_programs(open.progs(), open.rodata().cfg, failed);
  choose_signal_maps(open.maps(), open.rodata().cfg);
  bpf_map__set_autocreate(open.maps().task_marks, kernel_has_task_storage());
  bpf_map__set_autocreate(open.maps().pid_marks, false);
  bpf_map__set_autocreate(open.maps().older_execs, false);
  bpf_map__set_autocreate(open.maps().deferred_execs, false);
  bpf_map__set_autocreate(open.maps().environments, false);
  bpf_map__set_autocreate(open.maps().cgroup_nodes, false);
  bpf_map__set_autocreate(open.maps().cgroup_numbers, false);
  std::vector<WantedType*> wanted;
  if (open.rodata().cfg.signal_storage != 0) {
    wanted.push_back(&signals.type());
  }
  open.read_types(wanted);
  LoadedSkeleton<process_bpf> loaded = std::move(open).load();
  loaded.attach();
}

}  // namespace bpftrap
