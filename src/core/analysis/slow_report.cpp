// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/analysis/critical_path.h"
#include "core/analysis/parallelism.h"
#include "core/analysis/program_title.h"
#include "core/analysis/slow_advice.h"
#include "core/analysis/slow_findings.h"
#include "core/analysis/slow_names.h"
#include "core/analysis/slow_records.h"
#include "core/os/error.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t columns = 80;
constexpr std::size_t lines_most = 40;
constexpr std::size_t segments_most = 8;
constexpr std::size_t segments_least = 4;
constexpr std::size_t programs_most = 5;
constexpr std::size_t programs_least = 3;
constexpr std::size_t branches_shown = 3;
// All lines but those of segments, programs and advice.
constexpr std::size_t other_lines = 14 + branches_shown;

std::string percent(double share) {
  return fmt::format("{:.0f}%", 100 * share);
}

double ratio(nanoseconds part, nanoseconds whole) {
  return whole <= nanoseconds::zero()
             ? 0
             : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

class Report {
 public:
  Report(const RecordedRun& run, Index root)
      : run_(run),
        path_(critical_path(run, root)),
        members_(descendants(run, root)),
        totals_(totals_of(run, path_, members_)),
        parallelism_(run, members_, path_.begin, path_.end),
        names_(run, root) {}

  std::string text();

 private:
  void add(std::string line);
  void add_wrapped(std::string_view text);
  void add_heading(std::string_view text) {
    add("");
    add(std::string(text));
  }
  void add_totals();
  void add_running();
  void add_chain();
  void add_segment(const Segment& segment);
  void add_programs();
  void add_branches();
  void add_advice();
  std::vector<const Segment*> longest_segments() const;

  const RecordedRun& run_;
  CriticalPath path_;
  std::vector<Index> members_;
  RunTotals totals_;
  Parallelism parallelism_;
  SlowNames names_;
  std::size_t segments_shown_ = segments_most;
  std::size_t programs_shown_ = programs_most;
  std::vector<std::string> lines_;
};

void Report::add(std::string line) {
  lines_.push_back(cut_to(std::move(line), columns));
}

void Report::add_wrapped(std::string_view text) {
  std::string line = "  -";
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (display_width(line) + 1 + display_width(word) > columns && display_width(line) > 4) {
      add(std::exchange(line, "   "));
    }
    line += ' ';
    line += word;
  }
  add(std::move(line));
}

void Report::add_totals() {
  bool running = !run_.processes[path_.root].ended;
  add(fmt::format("{} {} {}", names_.of(path_.root, 50), running ? "has taken" : "took",
                  human_duration(totals_.wall)));
  add(fmt::format("  {} of CPU time: {:.1f} of {} busy on average", human_duration(totals_.cpu),
                  ratio(totals_.cpu, totals_.wall), counted(totals_.cpus, "CPU", "CPUs")));
  add_running();
  std::string lost =
      totals_.lost == 0 ? "no records lost" : counted(totals_.lost, "record", "records") + " lost";
  add(fmt::format("  {}, {} failed, {}", counted(totals_.processes, "process", "processes"),
                  totals_.failed, lost));
}

void Report::add_running() {
  constexpr std::size_t shown = 8;
  std::size_t most = std::min<std::size_t>(std::max<std::size_t>(totals_.cpus * 2, 2), shown);
  std::vector<double> shares = parallelism_.shares(most);
  std::string line;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] >= 0.005) {
      line +=
          fmt::format("{} {}{} {}", line.empty() ? "" : ",", i == 0 ? "none" : std::to_string(i),
                      i == most ? "+" : "", percent(shares[i]));
    }
  }
  std::string label = "  running or waiting for a CPU, by share of time:";
  if (label.size() + line.size() > columns) {
    add(std::exchange(label, "   "));
  }
  add(label + line);
}

std::vector<const Segment*> Report::longest_segments() const {
  // The shortest one first. All would need much memory.
  std::vector<const Segment*> segments;
  auto is_shorter = [](const Segment* a, const Segment* b) {
    return a->duration() < b->duration();
  };
  for (const Segment& segment : path_.segments) {
    bool full = segments.size() == segments_shown_;
    if (full && !is_shorter(segments.front(), &segment)) {
      continue;
    }
    segments.insert(std::upper_bound(segments.begin(), segments.end(), &segment, is_shorter),
                    &segment);
    if (full) {
      segments.erase(segments.begin());
    }
  }
  std::sort(segments.begin(), segments.end(),
            [](const Segment* a, const Segment* b) { return a->begin < b->begin; });
  return segments;
}

void Report::add_segment(const Segment& segment) {
  auto part = [&segment](nanoseconds time) { return segment.unknown ? "?" : human_duration(time); };
  std::string line = fmt::format("  {:>7} {:>7} {:>7} {:>7}{} ", human_duration(segment.duration()),
                                 part(segment.cpu), part(segment.cpu_wait), part(segment.blocked()),
                                 segment.estimated ? "~" : " ");
  add(line + names_.of(segment, columns - line.size()));
}

void Report::add_chain() {
  nanoseconds cpu{};
  nanoseconds waiting{};
  nanoseconds blocked{};
  nanoseconds unknown{};
  bool estimated = false;
  for (const Segment& segment : path_.segments) {
    cpu += segment.cpu;
    waiting += segment.cpu_wait;
    blocked += segment.unknown ? nanoseconds::zero() : segment.blocked();
    unknown += segment.unknown ? segment.duration() : nanoseconds::zero();
    estimated |= segment.estimated;
  }
  std::string heading =
      fmt::format("The chain: {} CPU, {} waiting for a CPU, {} blocked", human_duration(cpu),
                  human_duration(waiting), human_duration(blocked));
  if (unknown > nanoseconds::zero()) {
    heading += ", " + human_duration(unknown) + " unknown";
  }
  add_heading(heading);
  std::vector<const Segment*> shown = longest_segments();
  add(fmt::format("     TIME     CPU    WAIT BLOCKED  COMMAND{}",
                  estimated ? " (~: the split is estimated)" : ""));
  nanoseconds rest = path_.wall();
  for (const Segment* segment : shown) {
    add_segment(*segment);
    rest -= segment->duration();
  }
  if (path_.segments.size() > shown.size()) {
    add(fmt::format(
        "  {:>7}  in {}", human_duration(rest),
        counted(path_.segments.size() - shown.size(), "shorter segment", "shorter segments")));
  }
}

void Report::add_programs() {
  std::vector<ProgramTime> programs = times_by_program(run_, members_, path_);
  add_heading("Time by program");
  add("      CPU    WAIT  IN THE CHAIN  PROCESSES  PROGRAM");
  for (std::size_t i = 0; i < std::min(programs.size(), programs_shown_); ++i) {
    const ProgramTime& program = programs[i];
    std::string name = terminal_safe(program.name);
    add(fmt::format("  {:>7} {:>7} {:>13} {:>10}  {}", human_duration(program.cpu),
                    human_duration(program.cpu_wait), human_duration(program.on_path),
                    program.processes, name));
  }
}

void Report::add_branches() {
  std::vector<BranchTime> branches = times_by_branch(run_, members_);
  if (branches.size() < 2) {
    return;
  }
  Index parent = run_.processes[branches.front().process].parent;
  std::string name = terminal_safe(run_.comm(parent));
  add_heading(fmt::format("Time by child of {}: {} children", name, branches.size()));
  add("      CPU    TIME  PROCESSES  COMMAND");
  for (std::size_t i = 0; i < std::min(branches.size(), branches_shown); ++i) {
    const BranchTime& branch = branches[i];
    std::string line = fmt::format("  {:>7} {:>7} {:>10}  ", human_duration(branch.cpu),
                                   human_duration(branch.wall), branch.processes);
    // A shell says less than what it executes.
    bool by_shell = is_shell(run_.comm(branch.process));
    add(line + names_.of(by_shell ? branch.busiest : branch.process, columns - line.size()));
  }
}

void Report::add_advice() {
  std::vector<std::string> advice =
      slow_advice({run_, path_, members_, totals_, parallelism_, names_});
  if (advice.empty()) {
    return;
  }
  add_heading("Remedies, and limits of this report");
  for (const std::string& line : advice) {
    std::size_t before = lines_.size();
    add_wrapped(line);
    if (lines_.size() > lines_most - other_lines - segments_least - programs_least) {
      lines_.resize(before);
      return;
    }
  }
}

std::string Report::text() {
  // Tables give way to advice.
  add_advice();
  std::vector<std::string> advice = std::move(lines_);
  lines_.clear();
  std::size_t room = lines_most - other_lines - advice.size();
  segments_shown_ = std::clamp(room - programs_least, segments_least, segments_most);
  programs_shown_ = std::clamp(room - segments_shown_, programs_least, programs_most);
  add_totals();
  add_chain();
  add_programs();
  add_branches();
  lines_.insert(lines_.end(), advice.begin(), advice.end());
  std::string out;
  for (const std::string& line : lines_) {
    out += line + "\n";
  }
  return out;
}

}  // namespace

Index program_of(const RecordedRun& run) {
  if (run.program == no_index) {
    throw Error("cannot explain the run", 0, "no record of PROGRAM arrived");
  }
  return run.program;
}

std::string slow_report(const RecordedRun& run, Index root) {
  return Report(run, root).text();
}

void write_slow_records(const RecordedRun& run, Index root, Sink& sink,
                        const std::function<void()>& written) {
  CriticalPath path = critical_path(run, root);
  sink.write(totals_of(run, path, descendants(run, root)));
  for (const Segment& segment : path.segments) {
    sink.write(record_of(run, segment));
    written();
  }
}

}  // namespace bpftrap
