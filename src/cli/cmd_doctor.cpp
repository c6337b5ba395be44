// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap doctor`: checks this kernel and these privileges, and suggests fixes.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/pid_namespace_programs.h"
#include "cli/process_command.h"
#include "cli/show_source.h"
#include "core/bpf/libbpf_log.h"
#include "core/doctor/check_report.h"
#include "core/doctor/explain.h"
#include "core/os/error.h"
#include "core/os/signals.h"
#include "core/os/tracefs.h"

namespace bpftrap {

namespace {

// Runs `work`, which throws Error or returns details of its success.
template <class Work>
Trial attempt(Work&& work) {
  auto failed = [](const Error& error) {
    int err = error.code().value();
    return Trial{err != 0 ? err : EINVAL, error.log().empty() ? std::string() : error.log().back()};
  };
  try {
    return {0, work()};
  } catch (const Error& error) {
    return failed(explain(error));
  }
}

void load_programs(Facts& facts) {
  auto load = [](bool failed) {
    return attempt([failed] {
      try_programs("exec and exit", failed);
      return std::string();
    });
  };
  facts.failed_exec = load(true);
  facts.exec = facts.failed_exec->worked() ? facts.failed_exec : load(false);
  facts.exit = facts.exec;  // the same programs
  if (facts.pid_namespace && facts.exec->worked()) {
    facts.pid_translation = attempt([] {
      own_ids("exec and exit", "");
      ProcessLister("exec and exit", "").list();
      return std::string();
    });
  }
}

int run(const OutputOptions& options) {
  StopSignals signals;
  LibbpfLog log(options.verbose);
  std::unique_ptr<Output> output = open_output(options, signals.fd());
  Facts facts = gather_facts();
  load_programs(facts);
  facts.recorder = gather_recorder(system_recording);
  // Last, because it may change the mounts of this process.
  facts.tracefs = attempt([] { return provide_tracefs(); });
  std::vector<Check> checks = diagnose(facts);
  WallClock clock;
  std::unique_ptr<Sink> sink = make_sink(options,
                                         {.out = output->buffer(),
                                          .clock = clock,
                                          .kinds = {fields<Check>()},
                                          .color = wants_color(options, *output)},
                                         make<CheckReport>);
  for (const Check& check : checks) {
    sink->write(check);
  }
  sink->finish();
  Patience patience(signals);
  output->drain(patience);
  output->close();
  return will_work(checks) ? 0 : 1;
}

}  // namespace

Run setup_doctor(CLI::App& app) {
  auto options = std::make_shared<OutputOptions>();
  begin_group(app, "Output");
  add_format_options(app, *options);
  add_color_option(app, *options);
  begin_group(app, "Tracing");
  add_verbose_option(app, *options);
  set_examples(app,
               "  sudo bpftrap doctor              what works here and what does not\n"
               "  bpftrap doctor                   what is missing without sudo\n"
               "  bpftrap doctor --json | jq .fix  how to fix what is missing");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
