// SPDX-License-Identifier: GPL-2.0-only
#include "core/export/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/os/split.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

using Words = std::vector<std::string_view>;

// The program that the script runs.
struct Command {
  std::string file;
  std::string_view name;    // argv[0]
  Words arguments;          // behind it
  bool needs_perl = false;  // argv[0] differs from the file
};

// The kernel puts the interpreter, at most one argument of it, and the script's own name before the
// arguments of a script. It does the same again if the interpreter is a script.
std::size_t words_before_arguments(const ExecRecord& exec, const Words& argv) {
  constexpr std::size_t most = 12;
  for (std::size_t at = 1; at < std::min(argv.size(), most); ++at) {
    if (argv[at] == exec.filename) {
      return at + 1;
    }
  }
  return 0;
}

// A name without a slash is a file in the current directory. The shell would search it in PATH.
std::string with_slash(std::string_view file) {
  return file.find('/') == std::string_view::npos ? "./" + std::string(file) : std::string(file);
}

Command command_of(const ExecRecord& exec) {
  Command command;
  Words argv = split(exec.args ? exec.args->bytes : std::string_view(), '\0');
  std::size_t before = exec.interp ? words_before_arguments(exec, argv) : 0;
  bool has_file = exec.filename && !exec.filename->starts_with("/dev/fd/");
  if (before == 0 && (!has_file || exec.interp)) {
    command.file = usable_path(exec.exe).value_or(exec.filename.value_or(""));
  } else {
    command.file = with_slash(*exec.filename);
  }
  if (before > 0) {
    // The kernel has replaced the name of a script.
    command.arguments.assign(argv.begin() + static_cast<std::ptrdiff_t>(before), argv.end());
    return command;
  }
  if (!argv.empty()) {
    command.name = argv.front();
    command.needs_perl = command.name != command.file;
    command.arguments.assign(argv.begin() + 1, argv.end());
  }
  return command;
}

bool is_variable(std::string_view text) {
  std::size_t equals = text.find('=');
  return equals != std::string_view::npos && equals > 0;
}

// Without strings that have no name, which are counted.
Words variables_of(const Arguments& env, std::size_t& left_out) {
  Words kept;
  for (std::string_view text : split(env.bytes, '\0')) {
    if (is_variable(text)) {
      kept.push_back(text);
    } else {
      ++left_out;
    }
  }
  return kept;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  // A comment is one line, whatever the texts contain.
  void comment(std::string_view label, std::string_view text) {
    out_ += "# ";
    out_ += label;
    append_terminal_safe(out_, text);
    out_ += '\n';
  }
  void line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }
  // Continues the line.
  void text(std::string_view text) { out_ += text; }
  void words(const Words& all) {
    for (std::string_view word : all) {
      out_ += ' ';
      append_posix_quoted(out_, word);
    }
  }
  void word(std::string_view one) {
    out_ += ' ';
    append_posix_quoted(out_, one);
  }

 private:
  std::string& out_;
};

void write_comments(Writer& to, const ExecRecord& exec, std::string_view host,
                    const WallClock& clock) {
  std::string when;
  TimestampFormatter().append_rfc3339(when, clock.to_wall(exec.time));
  to.line("#!/bin/sh");
  to.comment("Runs again what a process executed.", "");
  to.comment("Process: ", fmt::format("{} {}-{}, child of {}[{}]", exec.process.comm,
                                      exec.process.id.pid, exec.process.id.start_ns,
                                      exec.process.parent_comm, exec.process.parent.pid));
  to.comment("Recorded: ", fmt::format("{} on {}", when, host));
  to.comment("User: ", fmt::format("uid {}, gid {}", exec.process.uid, exec.process.gid));
  static constexpr std::array names{"Standard input: ", "Standard output: ", "Standard error: "};
  for (std::size_t fd = 0; fd < names.size(); ++fd) {
    to.comment(
        names[fd],
        link_text(exec.standard_files[fd]).value_or("closed, or not recorded (record --stdio)"));
  }
}

void write_place(Writer& to, const ExecRecord& exec) {
  std::optional<std::string_view> directory = usable_path(exec.cwd);
  if (!directory) {
    to.comment("The directory is unknown.", "");
  } else {
    if (exec.cwd.deleted) {
      to.comment("The directory had been removed.", "");
    }
    to.text("cd --");
    to.word(*directory);
    to.line(" || exit");
  }
  to.line(fmt::format("umask {:04o}", exec.umask));
}

// Puts what is to be executed into "$@".
void write_command(Writer& to, const Command& command) {
  to.text("set --");
  to.words(command.arguments);
  to.line("");
  if (!command.needs_perl) {
    to.text("set --");
    to.word(command.file);
    to.line(" \"$@\"");
    return;
  }
  to.comment("argv[0] differs from the file, and POSIX has no way to set it. perl has.", "");
  to.line("if command -v perl >/dev/null 2>&1; then");
  to.text("  set --");
  to.word(command.file);
  to.word(command.name);
  to.line(" \"$@\"");
  to.line("else");
  if (command.name == command.file) {
    to.line("  echo \"$0: needs perl, because env takes the file for a variable\" >&2");
    to.line("  exit 127");
  } else {
    to.line("  echo \"$0: there is no perl: argv[0] is the name of the file\" >&2");
    to.text("  set --");
    to.word(command.file);
    to.line(" \"$@\"");
  }
  to.line("fi");
}

void write_environment(Writer& to, const ExecRecord& exec, std::size_t& count) {
  if (!exec.env) {
    to.comment(
        exec.env_requested
            ? "Records of the environment were lost. It is that of the caller."
            : "The environment was not recorded (record --env '*'). It is that of the caller.",
        "");
    return;
  }
  std::size_t left_out = 0;
  Words variables = variables_of(*exec.env, left_out);
  count = variables.size();
  to.comment("The environment: the variables that the recorder's --env named, and no others.", "");
  if (left_out > 0) {
    to.comment(fmt::format("{} string(s) without a name are left out.", left_out), "");
  }
  to.text("set --");
  for (std::string_view variable : variables) {
    to.text(" \\\n ");
    to.word(variable);
  }
  to.line(" \\\n  \"$@\"");
}

void write_exec(Writer& to, const Command& command, bool has_environment, std::size_t count) {
  std::string_view run = has_environment ? "exec env -i -- \"$@\"" : "exec \"$@\"";
  if (!command.needs_perl) {
    to.line(run);
    return;
  }
  to.line("if command -v perl >/dev/null 2>&1; then");
  if (has_environment) {
    to.line(
        fmt::format("  exec perl -e '%ENV = map {{ split /=/, $_, 2 }} splice @ARGV, 0, {}; exec "
                    "{{ shift }} @ARGV; die \"$!\\n\"' -- \"$@\"",
                    count));
  } else {
    to.line("  exec perl -e 'exec { shift } @ARGV; die \"$!\\n\"' -- \"$@\"");
  }
  to.line("fi");
  to.line(run);
}

}  // namespace

std::string script_of(const ExecRecord& exec, std::string_view host, const WallClock& clock) {
  std::string out;
  Writer to(out);
  Command command = command_of(exec);
  if (exec.env && command.file.find('=') != std::string::npos) {
    command.needs_perl = true;  // env would set a variable
  }
  write_comments(to, exec, host, clock);
  if (!exec.args || exec.args->truncated) {
    to.comment("The arguments are longer than what was recorded: the rest is missing.", "");
    to.line("echo \"$0: the recorded arguments are incomplete\" >&2");
  }
  write_place(to, exec);
  write_command(to, command);
  std::size_t count = 0;
  write_environment(to, exec, count);
  write_exec(to, command, exec.env.has_value(), count);
  return out;
}

void ScriptSink::write(const RecordView& record) {
  if (const auto* start = record.get_if<StartRecord>()) {
    host_ = start->host;
  } else if (const auto* exec = record.get_if<ExecRecord>()) {
    if (exec->process.id == process_ && exec->error == 0) {
      script_ = script_of(*exec, host_, clock_);
    }
  } else if (const auto* lost = record.get_if<LostRecord>()) {
    say_lost(*lost);
  }
}

}  // namespace bpftrap
