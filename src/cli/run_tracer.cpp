// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_tracer.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/process_command.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/process/named_processes.h"
#include "core/process/program.h"
#include "core/process/program_run.h"

namespace bpftrap {

namespace {

// A map or program of src/bpf/filter.bpf.h, or of a header that it includes.
bpf_map* map_of(const bpf_object* object, const char* name) {
  bpf_map* map = bpf_object__find_map_by_name(object, name);
  if (map == nullptr) {
    throw Error(std::string("there is no map ") + name, 0, "include filter.bpf.h");
  }
  return map;
}

WatchedCgroups::Kernel cgroup_maps(const bpf_object* object, const FilterVariables& variables) {
  return {bpf_map__fd(map_of(object, "cgroup_nodes")),
          bpf_map__fd(map_of(object, "cgroup_numbers")), variables.wanted_cgroups};
}

// Warns of followed processes that found no room among the marks.
class UnmarkedWarning final : public TraceObserver {
 public:
  void live(BootTime) override {}
  void account(const bpftrap_lost& lost) override {
    std::uint64_t all = lost.records[BPFTRAP_KIND_MARK];
    if (all > warned_) {
      say(fmt::format("{} processes could not be remembered: their records may be missing",
                      all - warned_));
      warned_ = all;
    }
  }

 private:
  std::uint64_t warned_ = 0;
};

}  // namespace

FilterSetup::FilterSetup(std::string_view command, const FilterOptions& options, bool verbose)
    : options_(options),
      cgroups_(options.cgroups),
      caller_(caller_for(options.program)),
      known_(find_known_processes(command, options, "", verbose)) {}

void FilterSetup::configure(bpf_object* object, bpftrap_scope& cfg) const {
  cfg = filter_scope(options_);
  set_own_namespace(cfg, known_.own);
  for (const char* name : {"filter_fork", "filter_exit"}) {
    if (bpf_program* program = bpf_object__find_program_by_name(object, name)) {
      bpf_program__set_autoload(program, cfg.follow != 0);
    }
  }
  if (bpf_program* program = bpf_object__find_program_by_name(object, "filter_cgroup")) {
    bpf_program__set_autoload(program, cfg.cgroups_count != 0);
  }
  size_cgroup_maps(map_of(object, "cgroup_nodes"), map_of(object, "cgroup_numbers"), cgroups_);
  bpf_map__set_max_entries(map_of(object, "pids"),
                           static_cast<__u32>(std::max<std::size_t>(options_.pids.size(), 1)));
  // Marks are kept by pid: task storage is for tracing programs only.
  bpf_map__set_autocreate(map_of(object, "task_marks"), false);
  bpf_map__set_autocreate(map_of(object, "pid_marks"), cfg.follow != 0);
}

void FilterSetup::fill_maps(const bpf_object* object, const FilterVariables& variables) const {
  fill_pid_map(map_of(object, "pids"), known_.pids);
  cgroups_.tell(cgroup_maps(object, variables));
}

void FilterSetup::follow(const bpf_object* object, const FilterVariables& variables) {
  cgroups_.tell(cgroup_maps(object, variables));
  followed_.emplace(
      Followed::Kernel{bpf_map__fd(map_of(object, "pid_marks")), -1, variables.followed});
  follow_trees(*followed_, known_);
}

int FilterSetup::run_processes(Host& host, const std::function<void(TraceExtras)>& trace,
                               TraceExtras extras) {
  AllEnded pids(host.loop(), known_.pids, [&host] { host.loop().stop(); });
  std::optional<TreesEnd> trees;
  if (!known_.trees.empty()) {
    trees.emplace(host.loop(), known_.trees, [this] { return followed_->count() == 0; });
  }
  trace(std::move(extras));
  return ended_as_asked;
}

int FilterSetup::run(bpftrap_founder& founder, Host& host, bool stdout_to_stderr,
                     const std::function<void(TraceExtras)>& trace,
                     const std::function<void()>& detach) {
  UnmarkedWarning warning;
  TraceExtras extras;
  extras.observer = &warning;
  if (options_.program.empty()) {
    return run_processes(host, trace, std::move(extras));
  }
  std::unique_ptr<Program> program = fork_followed(
      {options_.program, stdout_to_stderr, std::move(caller_)}, founder, known_.own.tid);
  ProgramRun program_run(*program, host.loop());
  extras.program = &program_run;
  try {
    trace(std::move(extras));
  } catch (...) {
    detach();
    program_run.wait(host.signals());
    throw;
  }
  program_run.wait(host.signals());
  return program->ended() ? program->exit_status() : ended_as_asked;
}

int stopped_before_start(const FilterOptions& options) {
  if (!options.program.empty()) {
    throw Error("did not start '" + options.program.front() + "'", 0);
  }
  return ended_as_asked;
}

}  // namespace bpftrap
