// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/summary.h"

#include <algorithm>

#include "core/analysis/time_bounds.h"
#include "core/record/field_builders.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// Processes that are remembered as parents. More than that are alive only on the largest machines;
// what is forgotten makes a parent a candidate for the slowest commands.
constexpr std::size_t parents_most = 65536;

Sums sums_of(const ExitRecord& record) {
  return {.count = 1,
          .failures = record.wait_status != 0 ? 1U : 0U,
          .duration_total = record.duration,
          .duration_max = record.duration,
          .cpu = record.cpu,
          .rss_bytes = largest_rss(record)};
}

std::string_view part_name(const SummaryRecord& r) {
  switch (r.part) {
    case SummaryRecord::Part::run:
      return "run";
    case SummaryRecord::Part::program:
      return "program";
    case SummaryRecord::Part::command:
      break;
  }
  return "command";
}

}  // namespace

void Sums::add(const Sums& other) {
  count += other.count;
  failures += other.failures;
  duration_total = saturating_sum(duration_total, other.duration_total);
  duration_max = std::max(duration_max, other.duration_max);
  cpu.user = saturating_sum(cpu.user, other.cpu.user);
  cpu.system = saturating_sum(cpu.system, other.cpu.system);
  rss_bytes = std::max(rss_bytes, other.rss_bytes);
}

void Sums::amend(const CpuTimes& before, const CpuTimes& after) {
  cpu.user = saturating_sum(cpu.user - before.user, after.user);
  cpu.system = saturating_sum(cpu.system - before.system, after.system);
}

nanoseconds Sums::cpu_total() const {
  return saturating_sum(cpu.user, cpu.system);
}

FieldTable fields_of(const SummaryRecord*) {
  using R = SummaryRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("summary"), time_field<R>(),
      field<&part_name>("of",
                        "run: all processes; program: those with this name and parent; command: "
                        "a single process"),
      field<&R::wall>("wall_ns", "of run: nanoseconds from start to end; else null"),
      field<&R::cpus>("cpus", "of run: CPUs of the machine; else null"),
      field<&R::comm>("comm",
                      "name when it ended, up to 15 bytes; (all other names) counts programs "
                      "beyond the first 16384; null of run"),
      field<&R::parent_comm>("parent_comm", "name of the parent; null of run"),
      field<&R::id>("id", "of command: its id; else null"),
      field<&R::args>("args", "of command: up to 4096 bytes of argv; null if unknown"),
      field<&R::cwd>("cwd", "of command: its directory at its last exec; null if unknown"),
      field<&R::sums, &Sums::count>("count", "number of processes that ended"),
      field<&R::sums, &Sums::failures>(
          "failures", "number of these that ended with a status other than 0 or by a signal"),
      field<&R::sums, &Sums::duration_total>(
          "duration_total_ns", "nanoseconds from start (fork) to end, sum over the processes"),
      field<&R::sums, &Sums::duration_max>(
          "duration_max_ns", "nanoseconds from start (fork) to end, maximum of the processes"),
      field<&R::sums, &Sums::cpu, &CpuTimes::user>(
          "cpu_user_ns", "nanoseconds of CPU time in user mode, sum over the processes"),
      field<&R::sums, &Sums::cpu, &CpuTimes::system>(
          "cpu_sys_ns", "nanoseconds of CPU time in the kernel, sum over the processes"),
      field<&R::sums, &Sums::rss_bytes>(
          "rss_bytes", "maximum of peak_rss_bytes, or of max_rss_bytes where that is unknown"));
  return table;
}

nanoseconds Summary::cpu_before(const ExitRecord& record) const {
  // PROGRAM is forked just before the start.
  constexpr auto shortly = std::chrono::milliseconds(100);
  nanoseconds before = started_ - (record.time - record.duration);
  return before > shortly ? std::min(before, saturating_sum(record.cpu.user, record.cpu.system))
                          : nanoseconds::zero();
}

void Summary::add(const ExitRecord& record) {
  Sums sums = sums_of(record);
  run_.add(sums);
  cpu_before_ = saturating_sum(cpu_before_, cpu_before(record));
  last_end_ = std::max(last_end_, record.time);
  Sums& program = add_program(record, sums);
  if (pending_.size() < most_pending) {
    pending_.insert_or_assign(record.process.id, Pending{&program, record.cpu});
  }
  if (!had_child(record)) {
    add_command(record, sums);
  }
}

void Summary::amend(const FinalRecord& record) {
  auto found = pending_.find(record.id);
  if (found == pending_.end()) {
    return;  // its end was filtered out
  }
  auto [program, cpu] = found->second;
  pending_.erase(found);
  run_.amend(cpu, record.cpu);
  program->amend(cpu, record.cpu);
  auto command = std::find_if(commands_.begin(), commands_.end(),
                              [&](const Command& one) { return one.id == record.id; });
  if (command != commands_.end()) {
    command->sums.amend(cpu, record.cpu);
  }
}

Sums& Summary::add_program(const ExitRecord& record, const Sums& sums) {
  Names names(record.process.comm, record.process.parent_comm);
  auto program = programs_.find(names);
  if (program == programs_.end() && programs_.size() < most_programs_) {
    program = programs_.try_emplace(std::move(names)).first;
  }
  Sums& row = program != programs_.end() ? program->second : others_;
  row.add(sums);
  return row;
}

bool Summary::had_child(const ExitRecord& record) {
  if (record.process.parent.pid != 0 && parents_.size() < parents_most) {
    parents_.insert(record.process.parent);
  }
  return parents_.erase(record.process.id) > 0;
}

void Summary::add_command(const ExitRecord& record, const Sums& sums) {
  auto slower = [](const Command& a, const Command& b) {
    return a.sums.duration_max > b.sums.duration_max;
  };
  if (commands_.size() == commands_most) {
    if (sums.duration_max <= commands_.front().sums.duration_max) {
      return;
    }
    std::pop_heap(commands_.begin(), commands_.end(), slower);
    commands_.pop_back();
  }
  Command command{.id = record.process.id,
                  .sums = sums,
                  .comm = std::string(record.process.comm),
                  .parent_comm = std::string(record.process.parent_comm)};
  if (record.args) {
    command.args = record.args->bytes.substr(0, args_most);
    command.truncated = record.args->truncated || record.args->bytes.size() > args_most;
  }
  if (record.cwd) {
    command.cwd = *record.cwd;
  }
  commands_.push_back(std::move(command));
  std::push_heap(commands_.begin(), commands_.end(), slower);
}

std::vector<SummaryRecord> Summary::rows(BootTime now, std::uint64_t cpus,
                                         std::optional<BootTime> until) const {
  std::vector<SummaryRecord> rows;
  if (empty()) {
    return rows;
  }
  constexpr int much = 20;  // a twentieth
  rows.push_back({.time = now,
                  .part = SummaryRecord::Part::run,
                  .sums = run_,
                  .cpu_before = cpu_before_ > run_.cpu_total() / much,
                  .wall = std::max(until.value_or(last_end_) - started_, nanoseconds::zero()),
                  .cpus = cpus});
  append_programs(rows, now);
  append_commands(rows, now);
  return rows;
}

void Summary::append_programs(std::vector<SummaryRecord>& rows, BootTime now) const {
  auto first = static_cast<std::ptrdiff_t>(rows.size());
  auto append = [&](std::string_view comm, std::string_view parent, const Sums& sums) {
    rows.push_back({.time = now,
                    .part = SummaryRecord::Part::program,
                    .sums = sums,
                    .comm = comm,
                    .parent_comm = parent});
  };
  for (const auto& [names, sums] : programs_) {
    append(names.first, names.second, sums);
  }
  if (others_.count > 0) {
    append(others, "", others_);
  }
  std::sort(rows.begin() + first, rows.end(), [](const SummaryRecord& a, const SummaryRecord& b) {
    nanoseconds cpu_a = a.sums.cpu_total();
    nanoseconds cpu_b = b.sums.cpu_total();
    return cpu_a != cpu_b ? cpu_a > cpu_b
                          : std::pair(a.comm, a.parent_comm) < std::pair(b.comm, b.parent_comm);
  });
}

void Summary::append_commands(std::vector<SummaryRecord>& rows, BootTime now) const {
  auto first = static_cast<std::ptrdiff_t>(rows.size());
  for (const Command& command : commands_) {
    SummaryRecord row{.time = now,
                      .part = SummaryRecord::Part::command,
                      .sums = command.sums,
                      .comm = command.comm,
                      .parent_comm = command.parent_comm,
                      .id = command.id};
    if (command.args) {
      row.args = Arguments{*command.args, command.truncated};
    }
    row.cwd = command.cwd;
    rows.push_back(row);
  }
  std::sort(rows.begin() + first, rows.end(), [](const SummaryRecord& a, const SummaryRecord& b) {
    return a.sums.duration_max != b.sums.duration_max ? a.sums.duration_max > b.sums.duration_max
                                                      : a.id->start_ns < b.id->start_ns;
  });
}

}  // namespace bpftrap
