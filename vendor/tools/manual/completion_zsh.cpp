// SPDX-License-Identifier: GPL-2.0-only
// For zsh: a function per command that calls _arguments.
#include <algorithm>

#include "completions.h"

namespace bpftrap::manual {

namespace {

std::string function_name(const CommandEntry& command) {
  std::string name = "_" + command.path;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name;
}

// Text within a specification of _arguments.
std::string spec_text(const std::string& text) {
  std::string result;
  for (char c : first_line(text)) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string action(const std::vector<ValueKind>& kinds, const std::vector<std::string>& offered) {
  std::string names = kind_names(kinds);
  if (names == "none") {
    return " ";
  }
  // Behind a space _arguments takes the words as they are.
  std::replace(names.begin(), names.end(), ' ', ',');
  return " __bpftrap_complete " + names + (offered.empty() ? "" : " " + join(offered, " "));
}

std::string option_spec(const OptionEntry& option) {
  bool value = !option.value_name.empty();
  std::vector<std::string> names;
  for (const std::string& name : option.short_names) {
    names.push_back(name + (value ? "+" : ""));
  }
  for (const std::string& name : option.long_names) {
    names.push_back(name + (!value ? "" : option.value_optional ? "=-" : "="));
  }
  std::string text = "[" + spec_text(option.description) + "]";
  if (value) {
    text += (option.value_optional ? "::" : ":") + option.value_name + ":" +
            action(option.kinds, option.offered);
  }
  std::string before =
      option.repeatable ? "'*'" : shell_quoted("(" + join(option.names(), " ") + ")");
  // Braces of one element stay as they are.
  std::string braces = names.size() == 1 ? names.front() : "{" + join(names, ",") + "}";
  return before + braces + shell_quoted(text);
}

std::string arguments_of(const CommandEntry& command) {
  std::string lines;
  for (const OptionEntry& option : command.options) {
    lines += " \\\n    " + option_spec(option);
  }
  for (const Argument& argument : command.arguments) {
    lines +=
        " \\\n    " + shell_quoted((argument.required ? ":" : "::") + spec_text(argument.name) +
                                   ":" + action(argument.kinds, argument.offered));
  }
  return lines;
}

std::string leaf_function(const CommandEntry& command) {
  return function_name(command) + "() {\n" +
         (command.runs_program ? "  __bpftrap_program && return\n" : "") +
         "  _arguments -s -S :" + arguments_of(command) + "\n}\n\n";
}

std::string branch_function(const CommandEntry& command) {
  std::string names;
  std::string cases;
  for (const CommandEntry& below : command.commands) {
    std::string described = below.name + ":" + spec_text(below.description);
    names += "    " + shell_quoted(described) + "\n";
    cases += "        " + below.name + ") " + function_name(below) + " ;;\n";
  }
  return function_name(command) +
         "() {\n"
         "  local curcontext=$curcontext state line\n"
         "  typeset -A opt_args\n"
         "  local -a commands=(\n" +
         names + "  )\n  _arguments -C -S :" + arguments_of(command) +
         " \\\n    '1: :->command' '*:: :->argument' && return\n"
         "  case $state in\n"
         "    command) _describe -t commands command commands ;;\n"
         "    argument)\n"
         "      case $words[1] in\n" +
         cases + "      esac ;;\n  esac\n}\n\n";
}

}  // namespace

std::string zsh_completion(const CommandEntry& root) {
  std::vector<std::string> names;
  for (const CommandEntry& command : root.commands) {
    names.push_back(command.name);
  }
  std::string functions =
      "#compdef bpftrap\n\ntypeset -ga __bpftrap_commands=(" + join(names, " ") + ")\n\n";
  for (const CommandEntry* command : with_subcommands(root)) {
    functions += command->commands.empty() ? leaf_function(*command) : branch_function(*command);
  }
  return functions;
}

}  // namespace bpftrap::manual
