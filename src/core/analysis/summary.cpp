// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/summary.h"

#include <algorithm>
#include <array>

#include "core/record/fields_common.h"

namespace bpftrap {

namespace {

using detail::Context;
using std::chrono::nanoseconds;

// The lives of a thousand daemons that end after 100 days are 274 years: more would not fit.
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

Value count_value(nanoseconds time) {
  return Value(static_cast<std::uint64_t>(time.count()));
}

const std::vector<Field<SummaryRecord>>& summary_fields() {
  using R = SummaryRecord;
  static const std::vector<Field<R>> table = detail::join<R>(std::array<Field<R>, 11>{{
      detail::event_field<R>([](const R&, Context) { return Value(std::string_view("summary")); },
                             nullptr),
      detail::ts_field<R>(),
      {.key = "comm",
       .header = "COMM",
       .width = 15,
       .doc = "name that the processes ended under, up to 15 bytes; (all other names) for those "
              "after 65536 names",
       .value = [](const R& r, Context) { return Value(r.comm); }},
      {.key = "count",
       .header = "COUNT",
       .width = 7,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "processes that ended under this name",
       .value = [](const R& r, Context) { return Value(r.count); }},
      {.key = "failures",
       .header = "FAILED",
       .width = 7,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "those of them that ended with a status other than 0 or by a signal",
       .value = [](const R& r, Context) { return Value(r.failures); },
       .style = [](const R& r) { return r.failures > 0 ? Style::failure : Style::plain; }},
      {.key = "duration_total_ns",
       .header = "TOTAL",
       .width = 7,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "nanoseconds from start (fork) to end, the sum over the processes",
       .value = [](const R& r, Context) { return count_value(r.duration_total); },
       .cell = [](const R& r, Context,
                  std::string& out) { append_human_duration(out, r.duration_total); }},
      {.key = "duration_max_ns",
       .header = "LONGEST",
       .width = 7,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "nanoseconds from start (fork) to end of the one that lived longest",
       .value = [](const R& r, Context) { return count_value(r.duration_max); },
       .cell = [](const R& r, Context,
                  std::string& out) { append_human_duration(out, r.duration_max); }},
      {.key = "cpu_user_ns",
       .type = JsonType::integer,
       .doc = "nanoseconds of CPU time in user mode, the sum over the processes",
       .value = [](const R& r, Context) { return count_value(r.cpu.user); }},
      {.key = "cpu_sys_ns",
       .type = JsonType::integer,
       .doc = "nanoseconds of CPU time in the kernel, the sum over the processes",
       .value = [](const R& r, Context) { return count_value(r.cpu.system); }},
      {.key = "max_rss_bytes",
       .header = "RSS",
       .width = 5,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "largest resident set in bytes that one of them had",
       .value = [](const R& r, Context) { return Value(r.max_rss_bytes); },
       .cell = [](const R& r, Context,
                  std::string& out) { append_human_size(out, r.max_rss_bytes); }},
      {.header = "CPU",
       .width = 7,
       .align = Align::right,
       .cell = [](const R& r, Context,
                  std::string& out) { append_human_duration(out, cpu_time(r)); }},
  }});
  return table;
}

// Not a TableSink: that one lays out rows as they come, with widths that it cannot know to be
// enough and a last column that is ragged. Here all rows are known, and the last one is a number.
class Layout {
 public:
  explicit Layout(bool color) : color_(color) {
    static constexpr std::array<std::string_view, 7> headers{"COMM",    "COUNT", "FAILED", "TOTAL",
                                                             "LONGEST", "CPU",   "RSS"};
    for (std::string_view header : headers) {
      auto all = fields<SummaryRecord>();
      auto field = std::find_if(all.begin(), all.end(),
                                [&](const auto& candidate) { return candidate.header == header; });
      columns_.push_back({&*field, std::max(field->width, header.size())});
    }
  }

  void add(const SummaryRecord& record) {
    for (Column& column : columns_) {
      cells_.push_back({text_of(*column.field, record), column.field->style != nullptr
                                                            ? column.field->style(record)
                                                            : Style::plain});
      column.width = std::max(column.width, display_width(cells_.back().text));
    }
  }

  std::string text() const {
    std::string out;
    for (const Column& column : columns_) {
      put(out, column, {std::string(column.field->header), Style::plain});
    }
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      put(out, columns_[i % columns_.size()], cells_[i]);
    }
    return out;
  }

 private:
  struct Column {
    const Field<SummaryRecord>* field;
    std::size_t width;
  };

  struct Cell {
    std::string text;
    Style style;
  };

  std::string text_of(const Field<SummaryRecord>& field, const SummaryRecord& record) {
    FieldContext context{clock_, users_, timestamps_};
    std::string text;
    if (field.cell != nullptr) {
      field.cell(record, context, text);
      return text;
    }
    Value value = field.value(record, context);
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
      text = std::to_string(*number);
    } else if (const auto* name = std::get_if<std::string_view>(&value)) {
      append_terminal_safe(text, *name);
    }
    return text;
  }

  void put(std::string& out, const Column& column, const Cell& cell) const {
    bool red = color_ && cell.style == Style::failure;
    out += red ? "\x1b[31m" : "";
    append_padded(out, cell.text, column.width, column.field->align);
    out += red ? "\x1b[0m" : "";
    out += &column == &columns_.back() ? '\n' : ' ';
  }

  bool color_;
  WallClock clock_;
  Users users_{""};  // no column has one
  TimestampFormatter timestamps_;
  std::vector<Column> columns_;
  std::vector<Cell> cells_;
};

}  // namespace

std::span<const Field<SummaryRecord>> fields_of(const SummaryRecord*) {
  return summary_fields();
}

void Summary::add(const ExitRecord& record) {
  auto program = programs_.find(record.process.comm);
  if (program == programs_.end() && programs_.size() < most_names_) {
    program = programs_.try_emplace(std::string(record.process.comm)).first;
  }
  merge(program != programs_.end() ? program->second : others_,
        {.time = record.time,
         .comm = record.process.comm,
         .count = 1,
         .failures = record.wait_status != 0 ? 1U : 0U,
         .duration_total = record.duration,
         .duration_max = record.duration,
         .cpu = record.cpu,
         .max_rss_bytes = record.max_rss_bytes});
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
  Layout layout(color);
  SummaryRecord total;
  total.comm = "total";
  std::vector<SummaryRecord> programs = rows(BootTime());
  for (const SummaryRecord& program : programs) {
    layout.add(program);
    merge(total, program);
  }
  if (programs.size() > 1) {
    layout.add(total);
  }
  return layout.text();
}

}  // namespace bpftrap
