// SPDX-License-Identifier: GPL-2.0-only
// Records as rows of a table for people.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/sink.h"

namespace bpftrap {

namespace {

std::string_view escape_of(Style style) {
  switch (style) {
    case Style::event:
      return "\x1b[36m";
    case Style::success:
      return "\x1b[32m";
    case Style::failure:
      return "\x1b[31m";
    case Style::plain:
      break;
  }
  return {};
}

// The fields of one record kind in the order of the table's columns; null where it has none.
template <class Record>
std::vector<const Field<Record>*> pick(const std::vector<std::string_view>& columns) {
  std::vector<const Field<Record>*> picked;
  for (std::string_view header : columns) {
    auto all = fields<Record>();
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Field<Record>& field) { return field.header == header; });
    picked.push_back(found != all.end() ? &*found : nullptr);
  }
  return picked;
}

class TableSink final : public Sink {
 public:
  TableSink(std::string& out, const WallClock& clock, TableStyle style)
      : out_(out),
        style_(std::move(style)),
        context_{clock, users_, timestamps_},
        exec_(pick<ExecRecord>(style_.columns)),
        exit_(pick<ExitRecord>(style_.columns)),
        hello_(pick<HelloRecord>(style_.columns)) {}

  void start(const StartRecord&) override {
    if (!style_.header) {
      return;
    }
    for (std::size_t i = 0; i < style_.columns.size(); ++i) {
      Shape shape = shape_of(i);
      put_cell(style_.columns[i], shape, i + 1 == style_.columns.size());
    }
    out_ += '\n';
  }
  void exec(const ExecRecord& record) override { write(exec_, record); }
  void exit(const ExitRecord& record) override { write(exit_, record); }
  void hello(const HelloRecord& record) override { write(hello_, record); }
  void lost(const LostRecord& record) override {
    say(fmt::format("{} record{} lost: a larger --buffer-size or a filter may help", record.count,
                    record.count == 1 ? " was" : "s were"));
  }
  void stop(const StopRecord&) override {}

 private:
  struct Shape {
    std::size_t width = 0;
    Align align = Align::left;
  };

  // As the first record kind that has the column says it.
  Shape shape_of(std::size_t column) const {
    if (exec_[column] != nullptr) {
      return {exec_[column]->width, exec_[column]->align};
    }
    if (exit_[column] != nullptr) {
      return {exit_[column]->width, exit_[column]->align};
    }
    if (hello_[column] != nullptr) {
      return {hello_[column]->width, hello_[column]->align};
    }
    return {};
  }

  template <class Record>
  void write(const std::vector<const Field<Record>*>& columns, const Record& record) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      bool last = i + 1 == columns.size();
      const Field<Record>* field = columns[i];
      cell_.clear();
      if (field == nullptr) {
        put_cell("-", shape_of(i), last);
        continue;
      }
      if (field->cell != nullptr) {
        field->cell(record, context_, cell_);
      } else {
        std::visit([this](const auto& value) { put(value); }, field->value(record, context_));
      }
      std::string_view escape =
          style_.color && field->style != nullptr ? escape_of(field->style(record)) : "";
      out_ += escape;
      put_cell(cell_, {field->width, field->align}, last);
      if (!escape.empty()) {
        out_ += "\x1b[0m";
      }
    }
    out_ += '\n';
  }

  void put_cell(std::string_view text, Shape shape, bool last) {
    if (last) {
      out_ += text;
      return;
    }
    append_padded(out_, text, shape.width, shape.align);
    out_ += ' ';
  }

  void put(std::monostate) { cell_ += '-'; }
  void put(bool value) { cell_ += value ? "yes" : "no"; }
  void put(std::uint64_t value) { cell_ += std::to_string(value); }
  void put(std::string_view value) { append_terminal_safe(cell_, value); }
  void put(const std::string& value) { append_terminal_safe(cell_, value); }
  void put(WallTime value) { timestamps_.append_local_time(cell_, value); }
  void put(const ProcessId& value) { cell_ += fmt::format("{}-{}", value.pid, value.start_ns); }
  void put(const Arguments& value) { append_command_line(cell_, value.bytes, value.truncated); }

  std::string& out_;
  TableStyle style_;
  Users users_;
  TimestampFormatter timestamps_;
  FieldContext context_;
  std::vector<const Field<ExecRecord>*> exec_;
  std::vector<const Field<ExitRecord>*> exit_;
  std::vector<const Field<HelloRecord>*> hello_;
  std::string cell_;
};

}  // namespace

std::unique_ptr<Sink> make_table_sink(std::string& out, const WallClock& clock, TableStyle style) {
  return std::make_unique<TableSink>(out, clock, std::move(style));
}

}  // namespace bpftrap
