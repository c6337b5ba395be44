// SPDX-License-Identifier: GPL-2.0-only
#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

// Three significant digits; small event counts as integers.
std::string number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e6) {
    return fmt::format("{:.0f}", value);
  }
  if (std::abs(value) >= 100) {
    return fmt::format("{:.0f}", value);
  }
  return std::abs(value) >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

std::string spread(const Samples& samples) {
  if (samples.empty()) {
    return "–";
  }
  return samples.size() == 1
             ? number(samples.median())
             : fmt::format("{} ({}–{})", number(samples.median()), number(samples.quantile(0.25)),
                           number(samples.quantile(0.75)));
}

std::string verdict(const Figure& figure) {
  if (!figure.target) {
    return "";
  }
  return figure.samples.median() <= *figure.target ? "met" : "**missed**";
}

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + '"';
}

std::string json(const Samples& samples) {
  if (samples.empty()) {
    return "null";
  }
  return fmt::format(R"({{"median":{},"q1":{},"q3":{},"min":{},"max":{},"n":{}}})",
                     samples.median(), samples.quantile(0.25), samples.quantile(0.75),
                     samples.quantile(0), samples.quantile(1), samples.size());
}

}  // namespace

double Samples::quantile(double share) const {
  if (values_.empty()) {
    return std::nan("");
  }
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  double place = share * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<std::size_t>(place);
  std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

Figure& Report::figure(const std::string& key, const std::string& what, const std::string& unit,
                       std::optional<double> target) {
  for (Figure& figure : figures) {
    if (figure.key == key && figure.what == what) {
      return figure;
    }
  }
  return figures.emplace_back(Figure{key, what, unit, target, {}});
}

Row& Report::row(const std::string& workload, const std::string& subject) {
  for (Row& row : rows) {
    if (row.workload == workload && row.subject == subject) {
      return row;
    }
  }
  Row& row = rows.emplace_back();
  row.workload = workload;
  row.subject = subject;
  return row;
}

std::string to_markdown(const Report& report) {
  std::string text;
  for (const std::string& line : report.about) {
    text += line + "\n";
  }
  if (!report.figures.empty()) {
    text +=
        "\n| `--only` | figure | unit | at most | median (quartiles) | of | |\n"
        "|---|---|---|---|---|---|---|\n";
  }
  for (const Figure& figure : report.figures) {
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", figure.key, figure.what,
                        figure.unit, figure.target ? number(*figure.target) : "",
                        spread(figure.samples), figure.samples.size(), verdict(figure));
  }
  std::vector<std::string> workloads;
  for (const Row& row : report.rows) {
    if (std::find(workloads.begin(), workloads.end(), row.workload) == workloads.end()) {
      workloads.push_back(row.workload);
    }
  }
  for (const std::string& workload : workloads) {
    text += fmt::format(
        "\nWorkload `{}`\n\n"
        "| | wall time, ratio | CPU time, ratio | own CPU, ms per 1000 processes | lines a process "
        "|\n|---|---|---|---|---|\n",
        workload);
    for (const Row& row : report.rows) {
      if (row.workload != workload) {
        continue;
      }
      if (row.wall_ratio.empty()) {
        text += fmt::format("| {}: {} {} | 1 | 1 | | |\n", row.subject, spread(row.wall),
                            row.wall_unit);
        continue;
      }
      text += fmt::format("| {} | {} | {} | {} | {}{}{} |\n", row.subject, spread(row.wall_ratio),
                          spread(row.cpu_ratio), spread(row.tool_ms), spread(row.lines),
                          row.lost != 0 ? fmt::format(", **{} lost**", row.lost) : "",
                          row.missed != 0 ? fmt::format(", {} missed by BPF", row.missed) : "");
    }
  }
  return text;
}

std::string to_json(const Report& report) {
  std::string text = "{\"about\":[";
  for (const std::string& line : report.about) {
    text += (text.back() == '[' ? "" : ",") + json_string(line);
  }
  text += "],\n\"figures\":[";
  for (const Figure& figure : report.figures) {
    text += fmt::format("{}\n{{\"key\":{},\"what\":{},\"unit\":{},\"target\":{},\"value\":{}}}",
                        text.back() == '[' ? "" : ",", json_string(figure.key),
                        json_string(figure.what), json_string(figure.unit),
                        figure.target ? fmt::format("{}", *figure.target) : "null",
                        json(figure.samples));
  }
  text += "],\n\"workloads\":[";
  for (const Row& row : report.rows) {
    text += fmt::format(
        "{}\n{{\"workload\":{},\"subject\":{},\"wall_ratio\":{},\"cpu_ratio\":{},"
        "\"wall\":{},\"wall_unit\":{},\"own_cpu_ms_per_1000\":{},\"lines_per_process\":{},"
        "\"lost\":{},\"missed\":{}}}",
        text.back() == '[' ? "" : ",", json_string(row.workload), json_string(row.subject),
        json(row.wall_ratio), json(row.cpu_ratio), json(row.wall), json_string(row.wall_unit),
        json(row.tool_ms), json(row.lines), row.lost, row.missed);
  }
  return text + "]}\n";
}

}  // namespace bench
