// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap why slow`: explains how long a run took.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "cli/load_run.h"
#include "cli/process_command.h"
#include "cli/why.h"
#include "core/analysis/slow_names.h"
#include "core/analysis/slow_report.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/messages.h"
#include "core/os/signals.h"
#include "core/output/json_sink.h"
#include "core/output/output.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

struct SlowOptions {
  std::string file;
  std::optional<PidOrId> tree;
  TraceOptions trace;  // PROGRAM, and the format

  bool json() const { return trace.output.format != nullptr; }
};

constexpr std::size_t trees_listed = 5;

std::string id_text(const RunProcess& process) {
  return fmt::format("{}-{}", process.id.pid, process.id.start_ns);
}

// The time of the process within the recording.
std::chrono::nanoseconds time_of(const RecordedRun& run, Index process) {
  return run.end_of(process) - std::max(run.processes[process].start(), run.start);
}

// Lines about processes whose trees can be explained.
std::string describe(const RecordedRun& run, const std::vector<Index>& processes) {
  constexpr std::size_t command_columns = 36;
  std::string rows;
  for (Index process : processes) {
    rows += fmt::format("  {:>7}  --tree {:<24}  {}\n", human_duration(time_of(run, process)),
                        id_text(run.processes[process]),
                        SlowNames(run, process).of(process, command_columns));
  }
  return rows;
}

// Processes with records whose parents have none, or began before the recording: the longest first.
// An older process is among them only if the recorder was told to record it, or its parent.
std::vector<Index> longest_trees(const RecordedRun& run) {
  std::vector<Index> roots;
  auto is_root = [&run](const RunProcess& process) {
    if (process.older && !run.filtered) {
      return false;
    }
    const RunProcess* parent =
        process.parent == no_index ? nullptr : &run.processes[process.parent];
    bool inside = parent != nullptr && (run.filtered ? parent->reported : !parent->older);
    return process.reported && !inside;
  };
  for (Index i = 0; i < run.processes.size(); ++i) {
    if (is_root(run.processes[i])) {
      roots.push_back(i);
    }
  }
  auto is_longer = [&run](Index a, Index b) { return time_of(run, a) > time_of(run, b); };
  std::size_t shown = std::min(trees_listed, roots.size());
  std::partial_sort(roots.begin(), roots.begin() + static_cast<std::ptrdiff_t>(shown), roots.end(),
                    is_longer);
  roots.resize(shown);
  return roots;
}

// Returns none if a message says what to name instead.
std::optional<Index> find_root(const LoadedRun& loaded, const std::optional<PidOrId>& tree) {
  const RecordedRun& run = loaded.run;
  if (tree) {
    std::vector<Index> found = run.find(tree->pid, tree->start_boot_ns);
    if (found.empty()) {
      throw Error(fmt::format("{}: no process {} (--tree)", loaded.path,
                              tree->start_boot_ns == 0
                                  ? std::to_string(tree->pid)
                                  : fmt::format("{}-{}", tree->pid, tree->start_boot_ns)),
                  0, fmt::format("the recording spans {}", loaded.span));
    }
    if (found.size() == 1) {
      return found.front();
    }
    std::string last = found.size() > trees_listed ? ", such as one of the last" : "";
    say(fmt::format("{} processes had the pid {}; name one of them{}:", found.size(), tree->pid,
                    last));
    found.erase(found.begin(),
                found.end() - static_cast<std::ptrdiff_t>(std::min(trees_listed, found.size())));
    say_table(describe(run, found));
    return std::nullopt;
  }
  if (run.has_program) {
    return program_of(run);
  }
  std::vector<Index> trees = longest_trees(run);
  say(loaded.path + ": recorded without PROGRAM; " +
      (trees.empty() ? "no process started or ended: only --tree can name an older one"
                     : "name a tree, such as one of the longest:"));
  say_table(describe(run, trees));
  return std::nullopt;
}

std::string explain_slow(const RecordedRun& run, Index root, bool json) {
  std::string out;
  if (!json) {
    return slow_report(run, root);
  }
  JsonSink sink({out, run.clock});
  write_slow_records(run, root, sink);
  return out;
}

int explain_file(const SlowOptions& options) {
  LoadedRun loaded = load_run(options.file);
  if (loaded.is_default) {
    say(fmt::format("explaining {}, {}", loaded.path, loaded.span));
  }
  for (const std::string& doubt : loaded.doubts) {
    say(fmt::format("{}: {}", loaded.path, doubt));
  }
  std::optional<Index> root = find_root(loaded, options.tree);
  if (!root) {
    return wrong_command_line;
  }
  StopSignals signals;
  Patience patience(signals);
  Output output;
  if (options.json()) {
    JsonSink sink({output.buffer(), loaded.run.clock});
    write_slow_records(loaded.run, *root, sink, [&] {
      if (output.waiting() > (std::size_t{1} << 20)) {
        output.drain(patience);
      }
    });
  } else {
    output.buffer() = slow_report(loaded.run, *root);
  }
  output.drain(patience);
  output.close();
  return ended_as_asked;
}

int explain_program(const SlowOptions& options) {
  ProcessCommand command;
  command.name = "why";
  command.explain = [json = options.json()](const RecordedRun& run) {
    return explain_slow(run, program_of(run), json);
  };
  return trace_processes(command, options.trace);
}

void check(const SlowOptions& options) {
  if (options.trace.program.empty()) {
    return;
  }
  if (options.tree) {
    refuse_usage("--tree: cannot be combined with -- PROGRAM; expected one of them");
  }
  if (!options.file.empty()) {
    refuse_usage(fmt::format("FILE: '{}' cannot be combined with -- PROGRAM; expected one of them",
                             options.file));
  }
}

}  // namespace

Run setup_why_slow(CLI::App& app) {
  auto options = std::make_shared<SlowOptions>();
  options->trace.default_events = {
      .execs = true, .failed_execs = true, .forks = true, .exits = true, .every_exit = true};
  options->trace.details.stdio = true;
  app.add_option("FILE", options->file, "the recording (default trace.bpftrap)")
      ->check(&refuse_empty_path);
  begin_group(app, "Run");
  add_parsed_option(
      app, "-t,--tree", [options](std::string_view text) { options->tree = parse_pid_or_id(text); },
      "explain this process, by its pid or id, and its descendants", "PID|ID");
  begin_group(app, "Output");
  add_format_options(app, options->trace.output);
  add_program_words(app, options->trace);
  app.parse_complete_callback([options] { check(*options); });
  set_examples(app,
               "  sudo bpftrap why slow -- make -j4       run make, and explain how long it took\n"
               "  bpftrap why slow                        explain trace.bpftrap\n"
               "  bpftrap why slow all.bpftrap --tree 4711\n"
               "  bpftrap why slow --json | jq .args      the chain for other tools");
  return [options] {
    return options->trace.program.empty() ? explain_file(*options) : explain_program(*options);
  };
}

}  // namespace bpftrap
