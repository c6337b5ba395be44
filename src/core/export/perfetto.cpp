// SPDX-License-Identifier: GPL-2.0-only
#include "core/export/perfetto.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/os/split.h"
#include "core/record/signal_name.h"
#include "core/text/paths.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

using Annotation = PerfettoWriter::Annotation;

std::uint64_t count_of(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
}

std::string_view category_of(const ExitRecord& exit) {
  if (WIFSIGNALED(exit.wait_status)) {
    return exit.oom_killed ? "out of memory" : "signal";
  }
  return WEXITSTATUS(exit.wait_status) != 0 ? "failed" : "program";
}

void add_costs(std::vector<Annotation>& to, const ExitRecord& exit) {
  to.push_back({"cpu_user_ns", count_of(exit.cpu.user)});
  to.push_back({"cpu_sys_ns", count_of(exit.cpu.system)});
  if (exit.cpu_wait) {
    to.push_back({"cpu_wait_ns", count_of(*exit.cpu_wait)});
  }
  to.push_back({"max_rss_bytes", exit.max_rss_bytes});
}

}  // namespace

void PerfettoExport::write(const RecordView& record) {
  if (const auto* start = record.get_if<StartRecord>()) {
    take(*start);
  } else if (const auto* fork = record.get_if<ForkRecord>()) {
    take(*fork);
  } else if (const auto* exec = record.get_if<ExecRecord>()) {
    take(*exec);
  } else if (const auto* exit = record.get_if<ExitRecord>()) {
    take(*exit);
  } else if (const auto* gone = record.get_if<UnwrittenEnd>()) {
    take(*gone);
  } else if (const auto* lost = record.get_if<LostRecord>()) {
    take(*lost);
  } else if (const auto* last = record.get_if<StopRecord>()) {
    stop(last->time);
  }
}

void PerfettoExport::take(const StartRecord& start) {
  BootTime time = bounded(start.time);
  std::int64_t boot = time.time_since_epoch().count();
  std::int64_t wall = bounded(std::chrono::nanoseconds(clock_.to_wall(time).ns)).count();
  if (group_ == 0) {
    first_offset_ = wall - boot;
    trace_begin_ = boot;
    writer_.clocks(boot, wall);
    group_ = writer_.add_group(terminal_safe("processes on " + start.host));
  } else {
    stop(BootTime(std::chrono::nanoseconds(last_ - shift_)));
  }
  if (start.boot_id != boot_id_) {
    shift_ = wall - boot - first_offset_;
    boot_id_ = start.boot_id;
  }
  // The wall clock of a later boot may be behind. Runs stay in their order.
  shift_ = std::max(shift_, last_ - boot);
  begin_ = time_of(time);
  last_ = std::max(last_, begin_);
}

std::int64_t PerfettoExport::start_of(const ProcessId& id) const {
  auto most = static_cast<std::uint64_t>(time_most.count());
  return std::max(static_cast<std::int64_t>(std::min(id.start_ns, most)) + shift_, begin_);
}

// The first free one below the parent's.
std::size_t PerfettoExport::take_lane(std::int64_t since, const ProcessId& parent) {
  auto above = living_.find(parent);
  std::size_t first = above != living_.end() ? above->second.lane + 1 : 0;
  // Only a process that is found late cannot have the first one.
  int looks = 100;
  for (auto at = free_.lower_bound(first); at != free_.end() && looks > 0; ++at, --looks) {
    std::size_t lane = *at;
    if (lanes_[lane].free_from <= since) {
      free_.erase(at);
      return lane;
    }
  }
  std::size_t number = lanes_.size() + 1;
  TrackId track =
      writer_.add_track(fmt::format("lane {}", number), group_, static_cast<std::int32_t>(number));
  lanes_.push_back({track, 0});
  return lanes_.size() - 1;
}

PerfettoExport::Living& PerfettoExport::add(const Process& process, std::int64_t since) {
  std::size_t lane = take_lane(since, process.parent);
  Living& added = living_[process.id];
  added.lane = lane;
  added.since = since;
  added.pid = process.id.pid;
  added.name = terminal_safe(process.comm);
  return added;
}

void PerfettoExport::take(const ForkRecord& fork) {
  std::int64_t start = start_of(fork.process.id);
  last_ = std::max(last_, start);
  if (living_.contains(fork.process.id)) {
    return;
  }
  Living& child = add(fork.process, start);
  auto parent = living_.find(fork.process.parent);
  if (parent != living_.end() && parent->second.since <= start) {
    child.flow = ++flows_;
    writer_.instant({.track = lanes_[parent->second.lane].track,
                     .time_ns = start,
                     .category = "fork",
                     .name = "fork",
                     .flow_from = child.flow});
  }
}

void PerfettoExport::take(const ExecRecord& exec) {
  std::int64_t now = std::max(time_of(exec.time), begin_);
  last_ = std::max(last_, now);
  auto found = living_.find(exec.process.id);
  bool is_older = start_of(exec.process.id) == begin_;
  Living& process = found != living_.end()
                        ? found->second
                        : add(exec.process, is_older ? now : start_of(exec.process.id));
  if (exec.error != 0) {
    std::string file = terminal_safe(exec.filename.value_or(""));
    std::string error = errno_name(exec.error);
    std::vector<Annotation> annotations{{"filename", file}, {"errno", error}};
    writer_.instant({.track = lanes_[process.lane].track,
                     .time_ns = std::max(now, process.since),
                     .category = "failed exec",
                     .name = "failed exec",
                     .annotations = annotations});
    return;
  }
  now = std::max(now, process.since);
  if (process.since < now) {
    end_slice(process, now, process.is_program ? "program" : "fork", {});
    process.flow.reset();
  }
  process.since = now;
  process.is_program = true;
  process.command.clear();
  process.arguments.clear();
  if (exec.args) {
    append_command_line(process.command, exec.args->bytes, exec.args->truncated);
    for (std::string_view argument : split(exec.args->bytes, '\0')) {
      process.arguments.push_back(terminal_safe(argument));
    }
  }
  process.name = terminal_safe(base_name(exec.filename.value_or(exec.process.comm)));
  process.directory = terminal_safe(usable_path(exec.cwd).value_or(""));
  process.executable = terminal_safe(usable_path(exec.exe).value_or(""));
}

void PerfettoExport::take(const ExitRecord& exit) {
  std::int64_t end = std::max(time_of(exit.time), begin_);
  last_ = std::max(last_, end);
  std::int64_t start = start_of(exit.process.id);
  auto found = living_.find(exit.process.id);
  Living& process = found != living_.end() ? found->second : add(exit.process, start);
  end = std::max(end, process.since);
  if (process.command.empty() && exit.args) {
    append_command_line(process.command, exit.args->bytes, exit.args->truncated);
  }
  std::string signal;
  std::vector<Annotation> annotations;
  if (WIFSIGNALED(exit.wait_status)) {
    signal = signal_name(WTERMSIG(exit.wait_status));
    annotations.push_back({"signal", signal});
  } else {
    auto code = static_cast<std::uint64_t>(WEXITSTATUS(exit.wait_status));
    annotations.push_back({"exit_code", code});
  }
  add_costs(annotations, exit);
  std::string_view category = category_of(exit);
  bool is_plain_fork = category == "program" && !exit.executed;
  end_slice(process, end, is_plain_fork ? "fork" : category, std::move(annotations));
  describe(process, start);
  lanes_[process.lane].free_from = end;
  free_.insert(process.lane);
  // The CPU time of an older process is that of its whole life: it counts in part only.
  std::int64_t life = std::max<std::int64_t>(exit.duration.count(), 1);
  auto cpu = static_cast<std::int64_t>(count_of(bounded(exit.cpu.user) + bounded(exit.cpu.system)));
  double share = std::min(1.0, static_cast<double>(end - start) / static_cast<double>(life));
  end = std::max(end, start);
  lifetimes_.push_back({start, end, static_cast<std::int64_t>(static_cast<double>(cpu) * share)});
  living_.erase(exit.process.id);
}

void PerfettoExport::take(const UnwrittenEnd& gone) {
  auto found = living_.find(gone.id);
  if (found == living_.end()) {
    return;
  }
  std::int64_t end = std::max(time_of(gone.time), found->second.since);
  last_ = std::max(last_, end);
  end_life(gone.id, found->second, end, "ended");
  living_.erase(found);
}

void PerfettoExport::end_life(const ProcessId& id, const Living& process, std::int64_t end,
                              std::string_view category) {
  end_slice(process, end, category, {});
  describe(process, start_of(id));
  lifetimes_.push_back({start_of(id), end, 0});
  lanes_[process.lane].free_from = end;
  free_.insert(process.lane);
}

void PerfettoExport::take(const LostRecord& lost) {
  has_losses_ = true;
  if (losses_ == 0) {
    losses_ = writer_.add_track("lost records", group_, 0);
  }
  std::vector<Annotation> annotations{{"count", lost.count}};
  writer_.instant({.track = losses_,
                   .time_ns = std::max(time_of(lost.time), begin_),
                   .category = "lost",
                   .name = "lost records",
                   .annotations = annotations});
}

void PerfettoExport::end_slice(const Living& process, std::int64_t end, std::string_view category,
                               std::vector<Annotation> annotations) {
  annotations.push_back({"pid", std::uint64_t{process.pid}});
  const std::array<std::pair<std::string_view, std::string_view>, 3> texts{
      {{"command", process.command}, {"cwd", process.directory}, {"exe", process.executable}}};
  for (const auto& [name, text] : texts) {
    if (!text.empty()) {
      annotations.push_back({name, text});
    }
  }
  writer_.slice({.track = lanes_[process.lane].track,
                 .time_ns = process.since,
                 .category = category,
                 .name = process.name,
                 .annotations = annotations,
                 .flow_to = process.flow},
                end);
}

void PerfettoExport::describe(const Living& process, std::int64_t start) {
  writer_.add_process({process.pid, process.name, start, process.arguments});
}

void PerfettoExport::stop(BootTime time) {
  std::int64_t end = std::max(time_of(time), last_);
  for (auto& [id, process] : living_) {
    end_life(id, process, end, has_losses_ ? "end unknown" : "running");
  }
  living_.clear();
  has_losses_ = false;
  last_ = end;
}

void PerfettoExport::count_running() {
  std::vector<std::pair<std::int64_t, int>> changes;
  changes.reserve(2 * lifetimes_.size());
  for (const Lifetime& life : lifetimes_) {
    changes.emplace_back(life.start, 1);
    changes.emplace_back(life.end, -1);
  }
  std::sort(changes.begin(), changes.end());
  TrackId counter = writer_.add_counter("running processes", "processes");
  int running = 0;
  for (std::size_t at = 0; at < changes.size(); ++at) {
    running += changes[at].second;
    if (at + 1 == changes.size() || changes[at + 1].first != changes[at].first) {
      writer_.count(counter, changes[at].first, running);
    }
  }
}

// The CPU time of a process is spread over its life, because nothing else is known of it.
void PerfettoExport::count_cpus() {
  constexpr std::int64_t parts = 1000;
  constexpr std::int64_t part_least = 1'000'000;
  std::int64_t part = std::max((last_ - trace_begin_) / parts + 1, part_least);
  std::vector<double> used(static_cast<std::size_t>((last_ - trace_begin_) / part) + 2);
  for (const Lifetime& life : lifetimes_) {
    double rate = static_cast<double>(life.cpu) /
                  static_cast<double>(std::max<std::int64_t>(life.end - life.start, 1));
    for (std::int64_t at = life.start; at < life.end && life.cpu > 0;) {
      auto place = static_cast<std::size_t>((at - trace_begin_) / part);
      std::int64_t next = trace_begin_ + (static_cast<std::int64_t>(place) + 1) * part;
      used[place] += rate * static_cast<double>(std::min(next, life.end) - at);
      at = next;
    }
  }
  TrackId counter = writer_.add_counter("CPUs in use", "CPUs");
  for (std::size_t place = 0; place < used.size(); ++place) {
    writer_.count(counter, trace_begin_ + static_cast<std::int64_t>(place) * part,
                  used[place] / static_cast<double>(part));
  }
}

void PerfettoExport::finish() {
  count_running();
  count_cpus();
}

std::string PerfettoExport::summary() const {
  return fmt::format("{} process{}; open it with https://ui.perfetto.dev", lifetimes_.size(),
                     lifetimes_.size() == 1 ? "" : "es");
}

}  // namespace bpftrap
