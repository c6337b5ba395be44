// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of `exec` and `exit` (src/bpf/process.bpf.c), from loaded to traced.
#include <malloc.h>
#include <unistd.h>

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
#include "cli/load_programs.h"
#include "cli/pid_namespace_programs.h"
#include "cli/process_command.h"
#include "cli/process_scope.h"
#include "cli/recording.h"
#include "cli/run_tracer.h"
#include "core/bpf/recursion_misses.h"
#include "core/bpf/ring_buffer_map.h"
#include "core/bpf/skeleton.h"
#include "core/os/caller.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/process/followed.h"
#include "core/process/last_descendant.h"
#include "core/process/program.h"
#include "core/process/program_run.h"
#include "core/process/watched_cgroups.h"

namespace bpftrap {

namespace {

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
  const auto& maps = loaded.maps();
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
  LoadedSkeleton<process_bpf> loaded = load_programs({command, options, scope, cgroups, records});
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

}  // namespace bpftrap
