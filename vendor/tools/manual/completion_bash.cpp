// SPDX-License-Identifier: GPL-2.0-only
// For bash: two functions that set variables of their caller by the command's path.
#include "completions.h"

namespace bpftrap::manual {

namespace {

std::string assignment(const std::string& name, const std::string& value) {
  return " " + name + "=" + shell_quoted(value);
}

std::string command_case(const CommandEntry& command) {
  std::vector<std::string> options;
  for (const OptionEntry& option : command.options) {
    for (const std::string& name : option.names()) {
      options.push_back(name);
    }
  }
  std::vector<std::string> commands;
  for (const CommandEntry& below : command.commands) {
    commands.push_back(below.name);
  }
  std::vector<ValueKind> kinds;
  for (const Argument& argument : command.arguments) {
    kinds.insert(kinds.end(), argument.kinds.begin(), argument.kinds.end());
  }
  return "    " + shell_quoted(command.path) + ")" + assignment("options", join(options, " ")) +
         assignment("commands", join(commands, " ")) + assignment("kinds", kind_names(kinds)) +
         " ;;\n";
}

std::string option_cases(const CommandEntry& command) {
  std::string cases;
  for (const OptionEntry& option : command.options) {
    if (option.value_name.empty()) {
      continue;
    }
    std::vector<std::string> patterns;
    for (const std::string& name : option.names()) {
      patterns.push_back(shell_quoted(command.path + " " + name));
    }
    cases += "    " + join(patterns, " | ") + ")" + assignment("kinds", kind_names(option.kinds)) +
             assignment("offered", join(option.offered, " ")) +
             assignment("optional", option.value_optional ? "yes" : "") + " ;;\n";
  }
  return cases;
}

}  // namespace

std::string bash_completion(const CommandEntry& root) {
  std::string commands;
  std::string options;
  for (const CommandEntry* command : with_subcommands(root)) {
    commands += command_case(*command);
    options += option_cases(*command);
  }
  return "# _bpftrap_command PATH: sets `options`, `commands`, and `kinds` of arguments.\n"
         "_bpftrap_command() {\n"
         "  case $1 in\n" +
         commands +
         "  esac\n"
         "}\n\n"
         "# _bpftrap_value PATH OPTION: sets `kinds`, `offered` and `optional` of the option's "
         "value.\n"
         "# Returns 1 if it has none.\n"
         "_bpftrap_value() {\n"
         "  case \"$1 $2\" in\n" +
         options +
         "    *) return 1 ;;\n"
         "  esac\n"
         "}\n\n";
}

}  // namespace bpftrap::manual
