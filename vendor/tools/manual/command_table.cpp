// SPDX-License-Identifier: GPL-2.0-only
#include "command_table.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/help_formatter.h"
#include "cli/offered_values.h"

namespace bpftrap::manual {

namespace {

// An option with one of these value names is completed without any further change.
constexpr std::array<std::pair<std::string_view, ValueKind>, 21> kinds_by_value_name{{
    {"PID", ValueKind::pid},         {"USER", ValueKind::user},   {"PATH", ValueKind::cgroup},
    {"FILE", ValueKind::file},       {"A", ValueKind::file},      {"B", ValueKind::file},
    {"DIR", ValueKind::directory},   {"WHEN", ValueKind::choice}, {"LIST", ValueKind::list},
    {"COMMAND", ValueKind::command}, {"WHO", ValueKind::pid},     {"TOPIC", ValueKind::choice},
    {"TIME", ValueKind::none},       {"SIZE", ValueKind::none},   {"N", ValueKind::none},
    {"GLOB", ValueKind::none},       {"REGEX", ValueKind::none},  {"ID", ValueKind::none},
    {"NAME", ValueKind::none},       {"TEXT", ValueKind::none},   {"A B", ValueKind::file},
}};

// "FILE|DIR" has the kinds of both.
std::vector<ValueKind> kinds_of(const std::string& owner, const std::string& value_name) {
  std::vector<ValueKind> kinds;
  std::istringstream names(value_name);
  for (std::string name; std::getline(names, name, '|');) {
    auto known = std::find_if(kinds_by_value_name.begin(), kinds_by_value_name.end(),
                              [&](const auto& kind) { return kind.first == name; });
    if (known == kinds_by_value_name.end()) {
      throw std::runtime_error(owner + ": unknown value name '" + name +
                               "'; add it to kinds_by_value_name in " __FILE__);
    }
    if (std::find(kinds.begin(), kinds.end(), known->second) == kinds.end()) {
      kinds.push_back(known->second);
    }
  }
  return kinds;
}

std::vector<std::string> with_prefix(const std::string& prefix,
                                     const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    result.push_back(prefix + name);
  }
  return result;
}

OptionEntry read_option(const CLI::Option& option, const std::string& path) {
  OptionEntry entry;
  entry.group = option.get_group();
  entry.short_names = with_prefix("-", option.get_snames());
  entry.long_names = with_prefix("--", option.get_lnames());
  entry.description = option.get_description();
  if (option.get_items_expected_max() == 0) {
    return entry;
  }
  entry.value_name = option.get_type_name();
  entry.value_optional = option.get_items_expected_min() == 0;
  entry.repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  entry.kinds = kinds_of(path + " " + option.get_name(), entry.value_name);
  entry.offered = offered_values(&option);
  return entry;
}

Argument read_argument(const CLI::Option& option, const std::string& path) {
  Argument argument;
  argument.name = option.get_name(true);
  argument.required = option.get_required();
  argument.description = option.get_description();
  argument.kinds = kinds_of(path + " " + argument.name, argument.name);
  argument.offered = offered_values(&option);
  return argument;
}

CommandEntry read_command(const CLI::App& app, const std::string& path) {
  CommandEntry command;
  command.name = app.get_name();
  command.path = path;
  command.description = app.get_description();
  command.examples = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->check_name(program_word_option)) {
      command.runs_program = true;
    } else if (option->get_group().empty()) {
      continue;  // hidden
    } else if (option->get_positional()) {
      command.arguments.push_back(read_argument(*option, path));
    } else {
      command.options.push_back(read_option(*option, path));
    }
  }
  std::vector<std::string> groups = option_groups(app);
  auto place = [&groups](const OptionEntry& option) {
    return std::find(groups.begin(), groups.end(), option.group);
  };
  std::stable_sort(command.options.begin(), command.options.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const CLI::App* below : app.get_subcommands(nullptr)) {
    if (!below->get_group().empty()) {
      command.commands.push_back(read_command(*below, path + " " + below->get_name()));
    }
  }
  return command;
}

}  // namespace

std::vector<std::string> OptionEntry::names() const {
  std::vector<std::string> all = short_names;
  all.insert(all.end(), long_names.begin(), long_names.end());
  return all;
}

CommandEntry read_command_table() {
  CLI::App app;
  add_commands(app);
  return read_command(app, app.get_name());
}

CommandEntry with_help_command(CommandEntry root) {
  CommandEntry help;
  help.name = "help";
  help.path = root.path + " help";
  help.description = "print the options of a command";
  help.arguments.push_back({"COMMAND", false, "", {ValueKind::command}, {}});
  root.commands.push_back(std::move(help));
  return root;
}

std::vector<const CommandEntry*> with_subcommands(const CommandEntry& command) {
  std::vector<const CommandEntry*> all{&command};
  for (const CommandEntry& below : command.commands) {
    std::vector<const CommandEntry*> more = with_subcommands(below);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace bpftrap::manual
