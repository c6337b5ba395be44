// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/summary.h"

#include <algorithm>
#include <array>

#include "core/output/table_sink.h"
#include "core/record/field_builders.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// Saturates, because 64 bits of nanoseconds hold only 292 years. A thousand daemons of 100 days
// each have 274.
nanoseconds saturating_sum(nanoseconds a, nanoseconds b) {
  nanoseconds::rep sum = 0;
  if (__builtin_add_overflow(a.count(), b.count(), &sum)) {
    return nanoseconds::max();
  }
  return nanoseconds(sum);
}

nanoseconds cpu_time(const SummaryRecord& r) {
  return saturating_sum(r.cpu.user, r.cpu.system);
}

void merge(SummaryRecord& into, const SummaryRecord& part) {
  into.count += part.count;
  into.failures += part.failures;
  into.duration_total = saturating_sum(into.duration_total, part.duration_total);
  into.duration_max = std::max(into.duration_max, part.duration_max);
  into.cpu.user = saturating_sum(into.cpu.user, part.cpu.user);
  into.cpu.system = saturating_sum(into.cpu.system, part.cpu.system);
  into.max_rss_bytes = std::max(into.max_rss_bytes, part.max_rss_bytes);
}

// Column headers of the table, in order.
constexpr std::array<std::string_view, 7> headers{"COMM",    "COUNT", "FAILED", "TOTAL",
                                                  "LONGEST", "CPU",   "RSS"};

std::vector<Column> columns() {
  std::vector<Column> columns;
  for (std::string_view header : headers) {
    const Field* field = find_column(fields<SummaryRecord>(), header);
    columns.push_back({header, field->width, field->align});
  }
  return columns;
}

}  // namespace

FieldTable fields_of(const SummaryRecord*) {
  using R = SummaryRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("summary"), time_field<R>(),
      field<&R::comm>("comm",
                      "name of the processes when they ended, up to 15 bytes; (all other names) "
                      "counts names beyond the first 65536")
          .column("COMM", 15),
      field<&R::count>("count", "number of processes that ended under this name")
          .column("COUNT", 7, Align::right),
      field<&R::failures>("failures",
                          "number of these that ended with a status other than 0 or by a signal")
          .column("FAILED", 7, Align::right)
          .styled([](const R& r) { return r.failures > 0 ? Style::failure : Style::plain; }),
      field<&R::duration_total>("duration_total_ns",
                                "nanoseconds from start (fork) to end, sum over the processes")
          .column("TOTAL", 7, Align::right),
      field<&R::duration_max>("duration_max_ns",
                              "nanoseconds from start (fork) to end, maximum of the processes")
          .column("LONGEST", 7, Align::right),
      field<&R::cpu, &CpuTimes::user>(
          "cpu_user_ns", "nanoseconds of CPU time in user mode, sum over the processes"),
      field<&R::cpu, &CpuTimes::system>(
          "cpu_sys_ns", "nanoseconds of CPU time in the kernel, sum over the processes"),
      table_only<R>()
          .column("CPU", 7, Align::right)
          .cell([](const R& r, Context, std::string& out) {
            append_human_duration(out, cpu_time(r));
          }),
      field<&R::max_rss_bytes>("max_rss_bytes", "resident set in bytes, maximum of the processes")
          .column("RSS", 5, Align::right)
          .in(Unit::bytes));
  return table;
}

void Summary::add(const ExitRecord& record) {
  auto program = programs_.find(record.process.comm);
  if (program == programs_.end() && programs_.size() < most_names_) {
    program = programs_.try_emplace(std::string(record.process.comm)).first;
  }
  SummaryRecord& row = program != programs_.end() ? program->second : others_;
  if (pending_.size() < most_pending) {
    pending_.insert_or_assign(record.process.id, Pending{&row, record.cpu});
  }
  merge(row, {.time = record.time,
              .comm = record.process.comm,
              .count = 1,
              .failures = record.wait_status != 0 ? 1U : 0U,
              .duration_total = record.duration,
              .duration_max = record.duration,
              .cpu = record.cpu,
              .max_rss_bytes = record.max_rss_bytes});
}

void Summary::amend(const FinalRecord& record) {
  auto found = pending_.find(record.id);
  if (found == pending_.end()) {
    return;  // its end was filtered out
  }
  auto& [row, cpu] = found->second;
  row->cpu.user = saturating_sum(row->cpu.user - cpu.user, record.cpu.user);
  row->cpu.system = saturating_sum(row->cpu.system - cpu.system, record.cpu.system);
  pending_.erase(found);
}

std::vector<SummaryRecord> Summary::rows(BootTime now) const {
  std::vector<SummaryRecord> rows;
  rows.reserve(programs_.size() + 1);
  auto append = [&](std::string_view name, const SummaryRecord& sums) {
    rows.push_back(sums);
    rows.back().time = now;
    rows.back().comm = name;
  };
  for (const auto& [name, sums] : programs_) {
    append(name, sums);
  }
  if (others_.count > 0) {
    append(others, others_);
  }
  std::sort(rows.begin(), rows.end(), [](const SummaryRecord& a, const SummaryRecord& b) {
    nanoseconds cpu_a = cpu_time(a);
    nanoseconds cpu_b = cpu_time(b);
    return cpu_a != cpu_b ? cpu_a > cpu_b : a.comm < b.comm;
  });
  return rows;
}

std::string Summary::table(bool color) const {
  MeasuredTable table(columns());
  WallClock clock;
  Users users("");  // unused: no column has a user
  TimestampFormatter timestamps;
  auto add = [&](const SummaryRecord& record) {
    for (std::string_view header : headers) {
      const Field* field = find_column(fields<SummaryRecord>(), header);
      std::string text;
      field->append_cell(record, {clock, users, timestamps}, text);
      table.cell(std::move(text), field->style(record));
    }
  };
  SummaryRecord total;
  total.comm = "total";
  std::vector<SummaryRecord> programs = rows(BootTime());
  for (const SummaryRecord& program : programs) {
    add(program);
    merge(total, program);
  }
  if (programs.size() > 1) {
    add(total);
  }
  std::string out;
  table.write(out, {.color = color, .ragged = false});
  return out;
}

}  // namespace bpftrap
