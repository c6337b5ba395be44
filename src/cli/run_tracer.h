// SPDX-License-Identifier: GPL-2.0-only
// Runs a tracer whose BPF programs include filter.bpf.h: from options to the exit status.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/filter_options.h"
#include "cli/host.h"
#include "cli/known_processes.h"
#include "core/output/output_file.h"
#include "core/process/followed.h"
#include "core/process/watched_cgroups.h"

namespace bpftrap {

// Variables of filter.bpf.h and the headers that it includes, shared with the programs.
struct FilterVariables {
  bpftrap_founder& founder;
  __u64& followed;
  std::span<__u64> wanted_cgroups;
};

// The filters of a tracer, in the order in which they are set up.
class FilterSetup {
 public:
  // Throws Error, as all of the following, if a process or cgroup does not exist.
  FilterSetup(std::string_view command, const FilterOptions& options, bool verbose);

  // Between open and load: `cfg` is the programs' read-only data.
  void configure(bpf_object* object, bpftrap_scope& cfg) const;
  // Between load and attach.
  void fill_maps(const bpf_object* object, const FilterVariables& variables) const;
  // After attach.
  void follow(const bpf_object* object, const FilterVariables& variables);

  // Runs `trace`, with PROGRAM if there is one, and returns the exit status. The trace ends with
  // the processes of --pid and --tree. Waits for PROGRAM also if the trace ends before it.
  int run(bpftrap_founder& founder, Host& host, bool stdout_to_stderr,
          const std::function<void(TraceExtras)>& trace, const std::function<void()>& detach);

  std::optional<FileOwner> owner() const { return owner_of(caller_); }

 private:
  int run_processes(Host& host, const std::function<void(TraceExtras)>& trace, TraceExtras extras);

  const FilterOptions& options_;
  WatchedCgroups cgroups_;
  std::optional<Caller> caller_;
  KnownProcesses known_;
  std::optional<Followed> followed_;
};

// The status of a command that was stopped before there was a reader for its output. Throws Error
// if PROGRAM was to be started.
int stopped_before_start(const FilterOptions& options);

// `Skeleton` is the generated one, `Records` are the record kinds that `handler` writes.
// `configure` may set what the command itself has in read-only data.
template <class Skeleton, class... Records>
int run_tracer(const std::string& command, std::vector<std::string_view> columns,
               const OutputOptions& output, const FilterOptions& filters, RecordHandler& handler,
               const std::function<void(OpenSkeleton<Skeleton>&)>& configure = {}) {
  FilterSetup setup(command, filters, output.verbose);
  std::unique_ptr<Host> host = Host::open(output, setup.owner());
  if (!host) {
    return stopped_before_start(filters);
  }
  OpenSkeleton<Skeleton> open(command);
  setup.configure(open.object(), open.rodata().cfg);
  if (configure) {
    configure(open);
  }
  LoadedSkeleton<Skeleton> loaded = std::move(open).load();
  auto& bss = loaded.bss();
  FilterVariables variables{bss.founder, bss.followed, bss.wanted_cgroups};
  setup.fill_maps(loaded.object(), variables);
  loaded.attach();
  setup.follow(loaded.object(), variables);
  auto trace = [&](TraceExtras extras) {
    host->trace<Records...>(command, std::move(columns), loaded, handler, std::move(extras));
  };
  return setup.run(variables.founder, *host, output.output.empty(), trace,
                   [&loaded] { loaded.detach(); });
}

}  // namespace bpftrap
