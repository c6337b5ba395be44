// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/fail_on.h"

#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/record/process_fields.h"
#include "core/text/paths.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

// Maximum bytes of the command line in a message.
constexpr std::size_t args_most = 2048;

}  // namespace

std::optional<std::string_view> FailOn::matching_path(const ExecRecord& record) const {
  if (record.filename && matches_(base_name(*record.filename))) {
    return record.filename;
  }
  // A file outside the root of the process has a name as well.
  bool is_file =
      record.exe.kind == ProcessFile::Kind::path || record.exe.kind == ProcessFile::Kind::outside;
  if (is_file && matches_(base_name(record.exe.name))) {
    return record.exe.name;
  }
  return std::nullopt;
}

bool FailOn::is_first_match(const ExecRecord& record) {
  if (found_ || record.error != 0 || !matching_path(record)) {
    return false;
  }
  found_ = true;
  append_process(name_, record.process.comm, record.process.local_pid, record.process.id.pid);
  return true;
}

void FailOn::report(const ExecRecord& match) {
  std::string text = "--fail-on: " + name_ + " executed ";
  append_command_line(text, matching_path(match).value_or(""), false);
  if (match.args) {
    text += ": ";
    append_command_line(text, match.args->bytes.substr(0, args_most),
                        match.args->truncated || match.args->bytes.size() > args_most);
  }
  say(text);
  text = "its ancestors: ";
  append_ancestors(text, match.process.ancestors);
  say(text);
}

int FailOn::status(int program, bool lost, bool to_the_end) const {
  if (found_) {
    say("status " + std::to_string(forbidden_program) + ", because " + name_ +
        " was executed (--fail-on)");
    return forbidden_program;
  }
  if (!to_the_end) {
    say("--fail-on: no match, but the trace ended before PROGRAM; trace PROGRAM to its end");
    return bpftrap_failed;
  }
  if (lost) {
    say("--fail-on: no match, but records were lost; try a larger --buffer-size");
    return bpftrap_failed;
  }
  return program;
}

}  // namespace bpftrap
