// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of `exec` and `exit` (src/bpf/process.bpf.c), from open to traced.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/process.event.h"
#include "cli/explain_run.h"
#include "cli/failed_exec_programs.h"
#include "cli/known_processes.h"
#include "cli/pid_namespace_programs.h"
#include "cli/process_command.h"
#include "cli/process_scope.h"
#include "cli/recording.h"
#include "cli/run_tracer.h"
#include "core/bpf/background_load.h"
#include "core/bpf/kernel_features.h"
#include "core/bpf/recursion_misses.h"
#include "core/bpf/ring_buffer_map.h"
#include "core/bpf/skeleton.h"
#include "core/bpf/tracing_hook.h"
#include "core/os/caller.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/process/followed.h"
#include "core/process/last_descendant.h"
#include "core/process/program.h"
#include "core/process/program_run.h"
#include "core/process/watched_cgroups.h"
#include "process.skel.h"

namespace bpftrap {

namespace {

using Maps = decltype(process_bpf::maps);
using Programs = decltype(process_bpf::progs);

// Programs that are loaded twice if the kernel may miss events: see recursion_misses.h.
std::array<ProgramPair, 3> program_pairs(const Programs& programs, bool write_forks) {
  bpf_program* exit =
      bpf_program__autoload(programs.on_exit) ? programs.on_exit : programs.on_exit_before_5_17;
  std::uint32_t fork_kind = write_forks ? BPFTRAP_RECORD_FORK : BPFTRAP_KIND_MARK;
  return {{{BPFTRAP_RECORD_EXEC, programs.on_exec, programs.on_exec_second},
           {BPFTRAP_RECORD_EXIT, exit, programs.on_exit_second},
           {fork_kind, programs.on_fork, programs.on_fork_second}}};
}

// Which of a process tracer's programs to load.
void choose_programs(const Programs& programs, const bpftrap_scope& scope, bool failed_execs) {
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

// Input of load().
struct LoadSetup {
  const ProcessCommand& command;
  const TraceOptions& options;
  const bpftrap_scope& scope;
  const WatchedCgroups& cgroups;
  RingBufferMap& records;
};

OpenSkeleton<process_bpf> configure(const LoadSetup& setup) {
  OpenSkeleton<process_bpf> open(setup.command.name, setup.options.btf);
  open.rodata().cfg = setup.scope;
  configure_maps(open.maps(), setup.scope, setup.options, setup.cgroups);
  choose_programs(open.progs(), setup.scope, chosen_events(setup.options).failed_execs);
  choose_signal_maps(open.maps(), setup.scope);
  if (setup.scope.task_storage != 0) {
    make_tracing_programs(open.object(), setup.command.name);
  }
  return open;
}

LoadedSkeleton<process_bpf> load(const LoadSetup& setup) {
  TracingHook& signals = signal_hook();
  OpenSkeleton<process_bpf> open = configure(setup);
  open.read_types(setup.scope.signal_storage != 0 ? &signals : nullptr);
  setup.records.become(open.maps().records);
  return std::move(open).load();
}

// Loads the programs whose verification takes longest beside the others.
LoadedSkeleton<process_bpf> load_in_parallel(const LoadSetup& setup) {
  static BackgroundLoad longest({"sched_process_exit", "sched_process_exec"});
  longest.begin();
  LoadedSkeleton<process_bpf> loaded = load(setup);
  return longest.finish() ? std::move(loaded) : load(setup);
}

// The programs that run before on_failed_exec, if that is loaded.
using BeforeFailedExec = std::optional<FailedExecPrograms>;

void attach(LoadedSkeleton<process_bpf>& loaded, const WatchedCgroups& cgroups,
            BeforeFailedExec& before) {
  if (before) {
    before->attach();
  }
  WatchedCgroups::Kernel kernel{bpf_map__fd(loaded.maps().cgroup_nodes),
                                bpf_map__fd(loaded.maps().cgroup_numbers),
                                loaded.bss().wanted_cgroups};
  cgroups.tell(kernel);
  loaded.attach();
  cgroups.tell(kernel);
  loaded.bss().live_since = static_cast<__u64>(BootClock::now().time_since_epoch().count());
}

Followed followed_in(LoadedSkeleton<process_bpf>& loaded, const bpftrap_scope& scope) {
  const Maps& maps = loaded.maps();
  return Followed({bpf_map__fd(maps.pid_marks),
                   scope.task_storage != 0 ? bpf_map__fd(maps.task_marks) : -1,
                   loaded.bss().followed});
}

// Receives the records of a trace, and traces with the programs until a stop.
struct Destination {
  ProcessHandler& handler;
  std::function<void(TraceExtras)> trace;
  // Returns the exit status after PROGRAM, whose own is `program`. Empty: that one.
  std::function<int(int program, bool to_the_end)> status = {};
};

// A trace whose programs are attached.
class ProcessTrace {
 public:
  ProcessTrace(const TraceOptions& options, Host& host, LoadedSkeleton<process_bpf>& loaded,
               const Destination& destination)
      : options_(options), host_(host), loaded_(loaded), destination_(destination) {}

  // Until the processes that options name have ended, or until a stop.
  int run_processes(Followed& followed, const KnownProcesses& known);

  // Until PROGRAM, and with --wait-all its last descendant, has ended. A stop or a failure ends the
  // trace before that, but then too it waits for PROGRAM.
  int run_program(Followed& followed, Pid own_tid, std::optional<Caller> caller);

 private:
  void run(TraceExtras extras);
  LastDescendant last_descendant(Followed& followed);
  std::array<ProgramPair, 3> pairs() {
    return program_pairs(loaded_.progs(), chosen_events(options_).forks);
  }

  const TraceOptions& options_;
  Host& host_;
  LoadedSkeleton<process_bpf>& loaded_;
  const Destination& destination_;
};

void ProcessTrace::run(TraceExtras extras) {
  ProcessHandler& handler = destination_.handler;
  extras.observer = &handler;
  extras.sweeps.insert(extras.sweeps.begin(), &handler);
  if (handler.reads_older()) {
    extras.take_older = [&handler](OlderProcess&& process) {
      handler.add_older(std::move(process));
    };
  }
  extras.programs = counted_programs(pairs());
  destination_.trace(std::move(extras));
}

LastDescendant ProcessTrace::last_descendant(Followed& followed) {
  return LastDescendant(
      {[&followed] { return followed.count(); },
       [this, &followed] { return destination_.handler.born() + followed.living_of_trees(); }},
      LostCounter(LossSources::of_kernel(bpf_map__fd(loaded_.maps().lost)),
                  RecursionMisses(counted_programs(pairs()))));
}

int ProcessTrace::run_processes(Followed& followed, const KnownProcesses& known) {
  TraceExtras extras;
  AllEnded pids(host_.loop(), known.pids, [this] { host_.loop().stop(); });
  std::optional<LastDescendant> last;
  std::optional<TreesEnd> trees;
  if (!known.trees.empty()) {
    last.emplace(last_descendant(followed));
    trees.emplace(host_.loop(), known.trees, [&last] { return last->has_ended(); });
    extras.sweeps.push_back(&*last);
  }
  run(std::move(extras));
  return ended_as_asked;
}

int ProcessTrace::run_program(Followed& followed, Pid own_tid, std::optional<Caller> caller) {
  // Forked now and not earlier, because the time until it may execute counts as its own.
  std::unique_ptr<Program> forked =
      fork_followed({options_.program, options_.output.output.empty(), std::move(caller)},
                    loaded_.bss().founder, own_tid);
  Program& program = *forked;
  TraceExtras extras;
  std::optional<LastDescendant> last;
  if (options_.wait_all) {
    last.emplace(last_descendant(followed));
    extras.sweeps.push_back(&*last);
  }
  ProgramRun program_run(program, host_.loop(), last ? &*last : nullptr);
  extras.program = &program_run;
  try {
    run(std::move(extras));
  } catch (...) {
    loaded_.detach();
    program_run.wait(host_.signals());
    throw;
  }
  bool to_the_end = program_run.saw_end() && !host_.output().reader_gone();
  program_run.wait(host_.signals());
  int status = program.ended() ? program.exit_status() : ended_as_asked;
  return destination_.status ? destination_.status(status, to_the_end) : status;
}

// Prints the records.
template <class Run>
int print_records(const ProcessCommand& command, const TraceOptions& options, Host& host,
                  LoadedSkeleton<process_bpf>& loaded, KnownProcesses& known, Run run) {
  ProcessStream stream(live_stream_options(options, host.output()));
  if (stream.keeps_genealogy()) {
    stream.add_existing(list_processes(known, command.name, options.btf));
  }
  auto trace = [&](TraceExtras extras) {
    std::vector<std::string_view> columns =
        fitting_columns(command.columns, host.terminal_columns());
    host.trace<ForkRecord, ExecRecord, ExitRecord>(command.name, std::move(columns), loaded, stream,
                                                   std::move(extras));
  };
  auto status = [&](int program, bool to_the_end) {
    bool counted = options.output.count && stream.written() >= *options.output.count;
    return stream.status(program, to_the_end && !counted);
  };
  return run({stream, trace, status});
}

// Keeps the records in a file or a directory.
template <class Run>
int keep_records(const ProcessCommand& command, const TraceOptions& options, Host& host,
                 LoadedSkeleton<process_bpf>& loaded, Recorder& recorder,
                 const RecordingTarget& target, Exports& exports, Run run) {
  ::malloc_trim(0);  // the load of the programs took 12 MB
  auto make_sink = [&](RingBuffer& ring, const WallClock& clock) {
    RecordingWriter::Setup setup{host.output().buffer(), clock, new_run_number(clock)};
    target.complete(setup);
    setup.may_compress = [&ring, most = options.buffer_size / 16] { return ring.pending() < most; };
    return recorder.begin(setup);
  };
  exports.reopen(host.output().fd());
  int status =
      run({recorder, [&](TraceExtras extras) {
             FileSync sync(target.sync_interval(),
                           target.sync_calls(host.output().fd(), options.output.no_sandbox));
             extras.nap = recording_nap(recorder.cpus());
             host.trace(command.name, make_sink, loaded, recorder, std::move(extras));
           }});
  say(describe_recording(target, recorder));
  exports.write(options.output.output, host.signals());
  return status;
}

}  // namespace

int trace_processes(const ProcessCommand& command, const TraceOptions& options) {
  auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  RingBufferMap records("records", ring_buffer_bytes(options.buffer_size, page));
  KnownProcesses known =
      find_known_processes(command.name, options, options.btf, options.output.verbose);
  WatchedCgroups cgroups(options.cgroups);
  std::optional<Caller> caller = caller_for(options.program);
  std::unique_ptr<Host> host = command.records ? Host::without_output(options.output)
                                               : Host::open(options.output, owner_of(caller));
  Exports exports(options.exports, options.output.output, host ? host->signals().fd() : -1);
  if (!host || exports.interrupted()) {
    return stopped_before_start(options);
  }
  bpftrap_scope scope = choose_scope(options, known.own);
  scope.report_final = command.records || command.explain ? 1 : scope.report_final;
  BeforeFailedExec before;
  if (chosen_events(options).failed_execs) {
    before.emplace(command.name, options.btf);
    scope.deferred_execs = before->may_defer() ? 1 : 0;
  }
  LoadedSkeleton<process_bpf> loaded =
      load_in_parallel({command, options, scope, cgroups, records});
  if (before) {
    before->load({loaded.maps().records, loaded.maps().lost, loaded.maps().deferred_execs});
  }
  fill_pid_map(loaded.maps().pids, known.pids);
  attach(loaded, cgroups, before);
  Followed followed = followed_in(loaded, scope);
  follow_trees(followed, known);
  auto run = [&](const Destination& destination) {
    ProcessTrace trace(options, *host, loaded, destination);
    return options.program.empty() ? trace.run_processes(followed, known)
                                   : trace.run_program(followed, known.own.tid, std::move(caller));
  };
  if (command.explain) {
    return explain_run(command, *host, loaded, this_host(), run);
  }
  if (!command.records) {
    return print_records(command, options, *host, loaded, known, run);
  }
  RecorderOptions recorder_with =
      recorder_options(options, scope, ProcessLister(command.name, options.btf).list());
  RecordingTarget target(options.output.output, command.directory, owner_of(caller));
  host->set_output(target.take_output());
  target.complete(recorder_with);
  Recorder recorder(std::move(recorder_with));
  return keep_records(command, options, *host, loaded, recorder, target, exports, run);
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
  open.read_types(open.rodata().cfg.signal_storage != 0 ? &signals : nullptr);
  LoadedSkeleton<process_bpf> loaded = std::move(open).load();
  loaded.attach();
}

}  // namespace bpftrap
