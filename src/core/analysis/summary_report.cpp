// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/summary_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "core/analysis/command_label.h"
#include "core/output/table_writer.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

using Rows = std::span<const SummaryRecord>;
using Part = SummaryRecord::Part;

constexpr std::size_t directory_columns = 24;
constexpr std::size_t label_columns_least = 20;

Rows rows_of(const std::vector<SummaryRecord>& rows, Part wanted) {
  auto is_part = [wanted](const SummaryRecord& row) { return row.part == wanted; };
  auto first = std::find_if(rows.begin(), rows.end(), is_part);
  return {first, std::find_if_not(first, rows.end(), is_part)};
}

Style failure_style(std::uint64_t failures) {
  return failures > 0 ? Style::failure : Style::plain;
}

// `58.2s wall, 1m52s CPU: 1.93 of 2 CPUs; 1234 processes, 12 failed`. The average would be wrong if
// CPU time is of before the run.
void append_run(std::string& out, const SummaryRecord& run, const SummaryLook& look) {
  const Sums& sums = run.sums;
  out +=
      fmt::format("{} wall, {} CPU", human_duration(*run.wall), human_duration(sums.cpu_total()));
  if (run.wall->count() > 0 && !run.cpu_before) {
    out += fmt::format(
        ": {:.2f} of {} CPU{}",
        static_cast<double>(sums.cpu_total().count()) / static_cast<double>(run.wall->count()),
        *run.cpus, *run.cpus == 1 ? "" : "s");
  }
  out += fmt::format("; {} process{}, ", sums.count, sums.count == 1 ? "" : "es");
  append_styled(out, fmt::format("{} failed", sums.failures), failure_style(sums.failures),
                look.color);
  out += '\n';
}

void add_program(MeasuredTable& table, std::string name, std::string parent, const Sums& sums) {
  table.cell(std::move(name));
  table.cell(std::move(parent));
  table.cell(std::to_string(sums.count));
  table.cell(std::to_string(sums.failures), failure_style(sums.failures));
  table.cell(human_duration(sums.cpu_total()));
  table.cell(human_duration(sums.duration_max));
  table.cell(human_size(sums.rss_bytes));
}

void append_programs(std::string& out, Rows programs, const SummaryLook& look) {
  MeasuredTable table({{"PROGRAM", 15},
                       {"STARTED BY", 15},
                       {"COUNT", 6, Align::right},
                       {"FAILED", 6, Align::right},
                       {"CPU", 7, Align::right},
                       {"LONGEST", 7, Align::right},
                       {"RSS", 5, Align::right}});
  // One row is not worth a row that says so.
  std::size_t shown = programs.size() <= look.programs + 1 ? programs.size() : look.programs;
  for (const SummaryRecord& program : programs.first(shown)) {
    add_program(table, terminal_safe(*program.comm), terminal_safe(*program.parent_comm),
                program.sums);
  }
  if (shown < programs.size()) {
    Sums rest;
    for (const SummaryRecord& program : programs.subspan(shown)) {
      rest.add(program.sums);
    }
    add_program(table, fmt::format("({} others)", programs.size() - shown), "", rest);
  }
  out += '\n';
  table.write(out, {.color = look.color, .ragged = false});
}

// Keeps the end of a directory, which tells more than its beginning.
std::string short_directory(std::string_view path, std::size_t columns) {
  std::string text = terminal_safe(path);
  if (display_width(text) <= columns) {
    return text;
  }
  for (std::size_t slash = text.find('/', 1); slash != std::string::npos;
       slash = text.find('/', slash + 1)) {
    std::string end = "…" + text.substr(slash);
    if (display_width(end) <= columns) {
      return end;
    }
  }
  return text;
}

void append_commands(std::string& out, Rows commands, const SummaryLook& look) {
  commands = commands.first(std::min(commands.size(), look.commands));
  CommandLabels labels;
  for (const SummaryRecord& command : commands) {
    if (command.args) {
      labels.add(command.args->bytes);
    }
  }
  MeasuredTable table({{"DURATION", 8, Align::right},
                       {"CPU", 7, Align::right},
                       {"RSS", 5, Align::right},
                       {"DIRECTORY", 9},
                       {"COMMAND"}});
  constexpr std::size_t numbers = 8 + 7 + 5 + 4;
  std::size_t directories = 9;
  for (const SummaryRecord& command : commands) {
    directories = std::max(
        directories, display_width(short_directory(command.cwd.value_or("-"), directory_columns)));
  }
  std::size_t used = numbers + directories;
  std::size_t left = std::max(look.columns > used ? look.columns - used : 0, label_columns_least);
  for (const SummaryRecord& command : commands) {
    table.cell(human_duration(command.sums.duration_max));
    table.cell(human_duration(command.sums.cpu_total()));
    table.cell(human_size(command.sums.rss_bytes));
    table.cell(short_directory(command.cwd.value_or("-"), directory_columns));
    table.cell(command.args ? labels.label(command.args->bytes, left)
                            : "[" + terminal_safe(*command.comm) + "]",
               failure_style(command.sums.failures));
  }
  out += '\n';
  table.write(out, {.color = look.color});
}

}  // namespace

std::string summary_report(const std::vector<SummaryRecord>& rows, const SummaryLook& look) {
  if (rows.empty()) {
    return "no process ended\n";
  }
  std::string out;
  append_run(out, rows.front(), look);
  append_programs(out, rows_of(rows, Part::program), look);
  Rows commands = rows_of(rows, Part::command);
  if (!commands.empty() && look.commands > 0) {
    append_commands(out, commands, look);
  }
  return out;
}

}  // namespace bpftrap
