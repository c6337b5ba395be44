// SPDX-License-Identifier: GPL-2.0-only
// For fish: a line per command, option and argument.
#include "completions.h"

namespace bpftrap::manual {

namespace {

// In single quotes, where fish knows two escapes.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + "'";
}

std::string complete_at(const CommandEntry& command) {
  return "complete -c bpftrap -n " + quoted("__bpftrap_at " + quoted(command.path));
}

// Files are fish's own, -F; any other kind is a call of the function that is named after it.
std::string values(const std::vector<ValueKind>& kinds, const std::vector<std::string>& offered) {
  std::string result;
  std::string calls;
  for (ValueKind kind : kinds) {
    if (kind == ValueKind::file) {
      result = " -F";
    } else if (kind != ValueKind::none) {
      calls += (calls.empty() ? "" : " ") + ("(__bpftrap_" + kind_name(kind)) +
               (offered.empty() ? "" : " " + join(offered, " ")) + ")";
    }
  }
  return result + (calls.empty() ? "" : " -a " + quoted(calls));
}

std::string option_line(const OptionEntry& option) {
  std::string line;
  for (const std::string& name : option.short_names) {
    line += " -s " + name.substr(1);
  }
  for (const std::string& name : option.long_names) {
    line += " -l " + name.substr(2);
  }
  if (!option.value_name.empty()) {
    line += (option.value_optional ? "" : " -r") + values(option.kinds, option.offered);
  }
  return line + " -d " + quoted(first_line(option.description));
}

}  // namespace

std::string fish_completion(const CommandEntry& root) {
  std::string paths;
  std::string lines = "complete -c bpftrap -f\n";
  for (const CommandEntry* command : with_subcommands(root)) {
    paths += " " + quoted(command->path);
    for (const CommandEntry& below : command->commands) {
      lines += complete_at(*command) + " -a " + below.name + " -d " +
               quoted(first_line(below.description)) + "\n";
    }
    for (const OptionEntry& option : command->options) {
      lines += complete_at(*command) + option_line(option) + "\n";
    }
    for (const Argument& argument : command->arguments) {
      std::string offered = values(argument.kinds, argument.offered);
      if (!offered.empty()) {
        lines += complete_at(*command) + offered + "\n";
      }
    }
    if (command->runs_program) {
      lines += "complete -c bpftrap -n " + quoted("__bpftrap_at_program " + quoted(command->path)) +
               " -a '(__bpftrap_program)'\n";
    }
  }
  return "# The path of each command.\nfunction __bpftrap_paths\n  printf '%s\\n'" + paths +
         "\nend\n\n" + lines + "\n";
}

}  // namespace bpftrap::manual
