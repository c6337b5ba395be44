// SPDX-License-Identifier: GPL-2.0-only
// All commands with their options, read from the tables that --help is printed from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bpftrap::manual {

// The kind of a value, by which shells complete it.
enum class ValueKind {
  none,       // free text
  pid,        // a running process
  user,       // a user name
  cgroup,     // a path within the cgroup hierarchy
  file,       // a path
  directory,  // a path of a directory
  choice,     // one of the offered values
  list,       // several of the offered values, separated by commas
  command,    // a command of bpftrap
};

struct OptionEntry {
  std::string group;                     // heading in --help
  std::vector<std::string> short_names;  // with their dash
  std::vector<std::string> long_names;   // with their dashes
  std::string value_name;                // empty for a flag
  bool value_optional = false;           // --name[=VALUE]
  bool repeatable = false;
  std::string description;
  std::vector<ValueKind> kinds;      // empty for a flag
  std::vector<std::string> offered;  // for choice and list

  std::vector<std::string> names() const;
};

struct Argument {
  std::string name;
  bool required = false;
  std::string description;
  std::vector<ValueKind> kinds;
  std::vector<std::string> offered;
};

struct CommandEntry {
  std::string name;
  std::string path;  // with the commands above it: "bpftrap exec"
  std::string description;
  std::string examples;  // the last part of --help
  std::vector<OptionEntry> options;
  std::vector<Argument> arguments;
  bool runs_program = false;  // takes -- PROGRAM ARGS...
  std::vector<CommandEntry> commands;
};

// The options of a command are sorted by group. Throws std::runtime_error for an option whose value
// name has no kind.
CommandEntry read_command_table();

// With `bpftrap help COMMAND`, which is an option in disguise and has no page of its own.
CommandEntry with_help_command(CommandEntry root);

// The command and all below it, each before those below it.
std::vector<const CommandEntry*> with_subcommands(const CommandEntry& command);

}  // namespace bpftrap::manual
