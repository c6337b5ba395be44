// SPDX-License-Identifier: GPL-2.0-only
// Data that a traced process controls, through the sinks: names, paths and arguments of any bytes.
// The first letter of an input has option bits. Behind it, each ended by a NUL, are comm,
// parent_comm, filename, interp, cgroup, killer_comm, and the arguments.
#include <csignal>

#include "core/analysis/summary_report.h"
#include "core/output/json_sink.h"
#include "core/output/table_sink.h"
#include "e2e/shell_words.h"
#include "fuzz/checks.h"
#include "fuzz/clock.h"

namespace bpftrap {

namespace {

using fuzz::require;
using nlohmann::json;

struct Input {
  explicit Input(std::string_view bytes) {
    unsigned letter = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
    truncated = (letter & 1U) != 0;
    failed = (letter & 2U) != 0;
    bytes.remove_prefix(bytes.empty() ? 0 : 1);
    for (std::string_view* text :
         {&comm, &parent_comm, &filename, &interp, &cgroup, &killer_comm}) {
      std::size_t end = std::min(bytes.find('\0'), bytes.size());
      *text = bytes.substr(0, end);
      bytes.remove_prefix(std::min(end + 1, bytes.size()));
    }
    args = bytes;
  }

  bool truncated = false;
  bool failed = false;
  std::string_view comm;
  std::string_view parent_comm;
  std::string_view filename;
  std::string_view interp;
  std::string_view cgroup;
  std::string_view killer_comm;
  std::string_view args;
};

Process process_of(const Input& input) {
  Process process;
  process.id = {1234, 999};
  process.parent = {7, 5};
  process.comm = input.comm;
  process.parent_comm = input.parent_comm;
  process.cgroup = input.cgroup;
  return process;
}

ExecRecord exec_of(const Input& input) {
  ExecRecord record;
  record.process = process_of(input);
  record.filename = input.filename;
  record.interp = input.interp;
  record.args = Arguments{input.args, input.truncated};
  record.args_size = input.args.size();
  record.error = input.failed ? ENOENT : 0;
  return record;
}

ExitRecord exit_of(const Input& input) {
  ExitRecord record;
  record.process = process_of(input);
  record.filename = input.filename;
  record.args = Arguments{input.args, input.truncated};
  record.wait_status = SIGTERM;
  record.killer = Sender{{7, 20}, 7, input.killer_comm};
  record.last_signal = LastSignal{SIGTERM, *record.killer};
  return record;
}

// A row with these columns, without its line feed.
template <class AnyRecord>
std::string row(const AnyRecord& record, const std::vector<std::string_view>& columns,
                bool color = false) {
  std::string out;
  TableSink table(
      {out, fixed_clock(), {fields<ExecRecord>(), fields<ExitRecord>()}, columns, false, color});
  table.write(record);
  return std::string(fuzz::require_one_line(out));
}

template <class AnyRecord>
json json_of(const AnyRecord& record) {
  std::string out;
  JsonSink({out, fixed_clock()}).write(record);
  return fuzz::require_json_line(out);
}

template <class AnyRecord>
void check_json(const AnyRecord& record, const Input& input) {
  json line = json_of(record);
  auto compare = [&](const char* key, std::string_view bytes) {
    require(line.at(key) == fuzz::expected_text(bytes), key, line.dump());
  };
  compare("comm", input.comm);
  compare("parent_comm", input.parent_comm);
  compare("cgroup", input.cgroup);
  compare("filename", input.filename);
  std::vector<std::string> args;
  for (const std::string& arg : fuzz::split(input.args, '\0')) {
    args.push_back(fuzz::expected_text(arg));
  }
  require(line.at("args") == args, "args", line.dump());
  if constexpr (std::is_same_v<AnyRecord, ExecRecord>) {
    compare("interp", input.interp);
  } else {
    compare("killer_comm", input.killer_comm);
    compare("last_signal_comm", input.killer_comm);
  }
}

// Rows must be safe on a terminal, and colours must add only themselves.
template <class AnyRecord>
void check_rows(const AnyRecord& record) {
  std::vector<std::string_view> columns{"TIME", "EVENT",    "PID",    "PPID",   "USER",
                                        "COMM", "DURATION", "STATUS", "COMMAND"};
  std::string plain = row(record, columns);
  fuzz::require_terminal_safe(plain);
  require(e2e::without_colors(row(record, columns, true)) == plain, "colours change no text",
          plain);
}

// A name that needs no escaping must be printed unchanged.
void check_name(const ExecRecord& record) {
  std::string cell = row(record, {"COMM"});
  std::string_view comm = record.process.comm;
  require(cell.size() >= comm.size(), "escaping removes no text", cell);
  auto printable = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (std::all_of(comm.begin(), comm.end(), printable)) {
    require(cell == comm, "printable text is unchanged", cell);
  }
}

// A shell must read from the cell exactly the words that the process was given.
void check_words(std::string cell, std::vector<std::string> expected, bool truncated) {
  if (truncated) {
    require(cell.ends_with("…"), "a truncated command line ends with …", cell);
    cell.resize(cell.size() - std::string_view("…").size());
  }
  std::vector<std::string> words = fuzz::words_in_shell(cell);
  if (truncated && !expected.empty() && words.size() == expected.size()) {
    // The last word may have lost the beginning of a character that was cut.
    std::string& last = expected.back();
    std::string& word = words.back();
    require(last.starts_with(word) && last.size() - word.size() <= 3, "a cut argument", cell);
    last = word;
  }
  require(words == expected, "a shell reads the arguments back", cell);
}

void check_command(const Input& input) {
  std::vector<std::string> args = fuzz::split(input.args, '\0');
  check_words(row(exit_of(input), {"COMMAND"}), args, input.truncated);
  ExecRecord exec = exec_of(input);
  if (input.failed) {
    args.erase(args.begin(), args.begin() + (args.empty() ? 0 : 1));
    args.insert(args.begin(), std::string(input.filename));
  }
  check_words(row(exec, {"COMMAND"}), args, input.truncated);
}

void check_summary(const ExitRecord& record) {
  Summary summary;
  summary.add(record);
  std::string table = summary_report(summary.rows(BootTime(), 1, {}), {});
  std::vector<std::string> lines = fuzz::split(table, '\n');
  require(lines.size() == 7, "a line about the run, and two tables of one row", table);
  for (const std::string& line : lines) {
    fuzz::require_terminal_safe(line);
  }
  for (const SummaryRecord& row : summary.rows(BootTime(), 1, {})) {
    require(row.part == SummaryRecord::Part::run ||
                json_of(row).at("comm") == fuzz::expected_text(record.process.comm),
            "comm", table);
  }
}

}  // namespace

}  // namespace bpftrap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bpftrap;
  Input input(fuzz::text_of(data, size));
  check_json(exec_of(input), input);
  check_json(exit_of(input), input);
  check_rows(exec_of(input));
  check_rows(exit_of(input));
  check_name(exec_of(input));
  check_command(input);
  check_summary(exit_of(input));
  return 0;
}
