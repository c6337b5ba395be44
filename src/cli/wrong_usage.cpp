// SPDX-License-Identifier: GPL-2.0-only
#include "cli/wrong_usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/common_options.h"
#include "cli/suggest.h"

namespace bpftrap {

namespace {

// A name from other programs or earlier versions, and bpftrap's option for the same purpose.
struct OtherName {
  std::string_view word;
  const char* option;
  std::string_view usage;
};

constexpr OtherName other_names[] = {
    {"--no-color", "--color", "--color never"}, {"--no-colour", "--color", "--color never"},
    {"--colour", "--color", "--color WHEN"},    {"--tree-view", "--forest", "--forest"},
    {"-f", "--failed", "-x, --failed"},
};

bool is_option(std::string_view word) {
  return word.starts_with('-');
}

// Returns `--pid` for `--pid=5`, and `-p` for `-p5`.
std::string name_of(std::string_view word) {
  return std::string(word.substr(0, word.starts_with("--") ? word.find('=') : 2));
}

// `why slow` of a subcommand. A command that was parsed has no parent any more.
std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  bool is_below = parent != nullptr && parent->get_parent() == nullptr && parent->parsed();
  return (is_below ? parent->get_name() + " " : "") + command.get_name();
}

std::string see_help(const CLI::App& command) {
  return fmt::format("see `bpftrap {} --help`", full_name(command));
}

std::vector<std::string> long_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::string suggestion(const CLI::App& command, const std::string& name) {
  for (const OtherName& other : other_names) {
    if (other.word == name && command.get_option_no_throw(other.option) != nullptr) {
      return fmt::format("; did you mean '{}'?", other.usage);
    }
  }
  return did_you_mean(name, long_names(command));
}

std::string explain_unknown(const CLI::App& command, const std::string& word) {
  if (word.starts_with(program_word_option)) {
    return fmt::format("'{}' takes no program; expected no `--`; {}", full_name(command),
                       see_help(command));
  }
  std::string name = name_of(word);
  return fmt::format("unknown option '{}'{}; {}", word, suggestion(command, name),
                     see_help(command));
}

std::string explain_stray(const CLI::App& command, const std::string& word) {
  if (!word.empty() &&
      std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return fmt::format("unexpected argument '{}'; an option takes one value: repeat the option; {}",
                       word, see_help(command));
  }
  if (command.get_option_no_throw(program_word_option) != nullptr) {
    return fmt::format(
        "unexpected argument '{0}'; to trace a program, put `--` before it: bpftrap {1} -- {0}; "
        "{2}",
        word, full_name(command), see_help(command));
  }
  return fmt::format("unexpected argument '{}'; {}", word, see_help(command));
}

// Finds the option in CLI11's message, the only place that names it. The longest name wins.
const CLI::Option* named_in(const CLI::App& command, std::string_view text) {
  const CLI::Option* named = nullptr;
  std::size_t longest = 0;
  for (const CLI::Option* option : command.get_options()) {
    std::vector<std::string> names = option->get_lnames();
    if (option->get_positional()) {
      names.push_back(option->get_name(true));
    }
    for (const std::string& name : names) {
      if (name.size() > longest && text.find(name) != std::string_view::npos) {
        named = option;
        longest = name.size();
      }
    }
  }
  return named;
}

std::string explain_mismatch(const CLI::App& command, const CLI::ParseError& error) {
  const CLI::Option* option = named_in(command, error.what());
  if (option == nullptr) {
    return fmt::format("wrong options; {}", see_help(command));
  }
  std::string name = option->get_name();
  if (option->get_positional()) {
    return option->count() == 0 ? fmt::format("{} is missing; {}", name, see_help(command))
                                : fmt::format("{}: {} words; expected at most {}", name,
                                              option->count(), option->get_expected_max());
  }
  if (option->get_expected_max() == 0) {
    return fmt::format("{0}: takes no value; expected {0} alone", name);
  }
  if (option->count() > 1) {
    return fmt::format("{}: given {} times; expected once", name, option->count());
  }
  return fmt::format("{0}: a value is missing; expected {0} {1}", name, option->get_type_name());
}

std::string list(const std::vector<std::string>& names) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    all += i == 0 ? "" : i + 1 == names.size() ? " or " : ", ";
    all += names[i];
  }
  return all;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return names;
}

// Returns the first command among `words` that has the option, else the first of all commands.
const CLI::App* command_with(const CLI::App& app, const std::vector<std::string>& words,
                             const std::string& option) {
  const CLI::App* any = nullptr;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_option_no_throw(option) == nullptr) {
      continue;
    }
    if (std::find(words.begin(), words.end(), command->get_name()) != words.end()) {
      return command;
    }
    any = any == nullptr ? command : any;
  }
  return any;
}

}  // namespace

std::string explain_subcommand(const CLI::App& command) {
  std::vector<std::string> names = command_names(command);
  std::vector<std::string> unknown = command.remaining(true);
  if (!unknown.empty() && !is_option(unknown.front())) {
    return fmt::format("unknown command '{} {}'{}; {}", command.get_name(), unknown.front(),
                       did_you_mean(unknown.front(), names), see_help(command));
  }
  return fmt::format("{}: expected {}; {}", command.get_name(), list(names), see_help(command));
}

std::string explain_options(const CLI::App& command, const CLI::ParseError& error) {
  std::vector<std::string> unknown = command.remaining(true);
  if (!command.get_subcommands({}).empty() && (unknown.empty() || !is_option(unknown.front()))) {
    return explain_subcommand(command);
  }
  // Check this first: without `--`, CLI11 reads a program's options as bpftrap's.
  if (!unknown.empty() && !is_option(unknown.front())) {
    return explain_stray(command, unknown.front());
  }
  // These texts come from add_parsed_option(). No validator of CLI11 is used.
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
    return error.what();
  }
  if (!unknown.empty()) {
    return explain_unknown(command, unknown.front());
  }
  return explain_mismatch(command, error);
}

std::string explain_command(const CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> commands = command_names(app);
  std::string missing =
      fmt::format("a command is missing; expected {}; see `bpftrap --help`", list(commands));
  if (words.empty()) {
    return missing;
  }
  const std::string& word = words.front();
  if (word.starts_with(program_word_option)) {
    return fmt::format("a command is missing before `--`; expected bpftrap exec -- {}",
                       word.substr(word.find(':') + 1));
  }
  if (!is_option(word)) {
    return fmt::format("unknown command '{}'{}; see `bpftrap --help`", word,
                       did_you_mean(word, commands));
  }
  const CLI::App* command = command_with(app, words, name_of(word));
  if (command != nullptr) {
    return fmt::format("option '{0}' is before the command; expected bpftrap {1} {0}", word,
                       command->get_name());
  }
  return fmt::format("unknown option '{}'; see `bpftrap --help`", word);
}

}  // namespace bpftrap
