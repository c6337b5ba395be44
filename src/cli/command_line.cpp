// SPDX-License-Identifier: GPL-2.0-only
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <sstream>

#include "cli/suggest.h"
#include "cli/trace_options.h"
#include "core/os/version.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

// What is wrong, in one line: CLI11's own words serve where they name option and value.
std::string explain(const CLI::App& app, const CLI::ParseError& error,
                    const std::vector<std::string>& commands) {
  const CLI::App* command = &app;
  for (const CLI::App* chosen : app.get_subcommands()) {
    command = chosen;
  }
  std::string who = command == &app ? "bpftrap" : "bpftrap " + command->get_name();
  std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty() && !dynamic_cast<const CLI::ValidationError*>(&error)) {
    const std::string& first = unknown.front();
    if (command == &app && !first.starts_with("-")) {
      return fmt::format("unknown command '{}'{}; see `bpftrap --help`", first,
                         did_you_mean(first, commands));
    }
    if (first.starts_with(program_word_option)) {
      return fmt::format("{} starts no program; accepted: no `--`", who);
    }
    if (first.starts_with("-")) {
      std::vector<std::string> options;
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) {
          options.push_back("--" + name);
        }
      }
      return fmt::format("unknown option '{}'{}; see `{} --help`", first,
                         did_you_mean(first.substr(0, first.find('=')), options), who);
    }
    return fmt::format("unexpected argument '{}'; see `{} --help`", first, who);
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && command == &app) {
    std::string all;
    for (const std::string& name : commands) {
      all += (all.empty() ? "" : ", ") + name;
    }
    return fmt::format("a command is missing; accepted: {}; see `bpftrap --help`", all);
  }
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
    return error.what();
  }
  return fmt::format("{}; see `{} --help`", error.what(), who);
}

}  // namespace

std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words;
  bool of_program = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (of_program) {
      word = fmt::format("{}=:{}", program_word_option, word);
    } else if (word == "--") {
      if (i + 1 == argc) {
        throw CLI::ValidationError("--: no program behind it; accepted: -- PROGRAM ARGS...");
      }
      of_program = true;
      continue;
    } else if (word.starts_with(program_word_option)) {
      throw CLI::ValidationError(
          fmt::format("unknown option '{}'; accepted: -- PROGRAM ARGS...", word));
    }
    words.push_back(std::move(word));
  }
  std::reverse(words.begin(), words.end());
  return words;
}

Invocation read_command_line(int argc, const char* const* argv) {
  CLI::App app{
      "Shows every program a Linux machine executes and every process that ends on it, why it "
      "ended\nand what it cost.",
      "bpftrap"};
  app.set_version_flag("--version", fmt::format("bpftrap {}", version()), "print the version");
  app.require_subcommand(1);
  app.get_formatter()->column_width(28);
  app.footer(
      "Examples:\n"
      "  sudo bpftrap hello                      does BPF work here?\n"
      "  sudo bpftrap exec                       every program that is executed\n"
      "  sudo bpftrap exit --min-duration 100    every process that ended after at least 100 ms\n"
      "  sudo bpftrap exec --json | jq .args     the same as JSON\n\n"
      "`bpftrap COMMAND --help` says more.");

  std::vector<std::string> commands;
  std::map<const CLI::App*, Run> runs;
#define COMMAND(name, description)                              \
  {                                                             \
    CLI::App* command = app.add_subcommand(#name, description); \
    runs[command] = setup_##name(*command);                     \
    commands.emplace_back(#name);                               \
  }
#include "cli/commands.def"
#undef COMMAND

  int failure = could_not_work;
  try {
    std::vector<std::string> words = words_of(argc, argv);
    // The last word comes first, and PROGRAM's are behind all others.
    if (!words.empty() && words.front().starts_with(program_word_option)) {
      failure = bpftrap_failed;
    }
    app.parse(words);
  } catch (const CLI::Success& asked) {  // --help, --version
    std::ostringstream text;
    int status = app.exit(asked, text, text);
    return {nullptr, text.str(), status};
  } catch (const CLI::ParseError& wrong) {
    // A word may have a line feed in it, and what is said has one line.
    std::string text;
    append_terminal_safe(text, explain(app, wrong, commands));
    return {nullptr, text, wrong_command_line};
  }
  return {runs.at(app.get_subcommands().front()), "", ended_as_asked, failure};
}

}  // namespace bpftrap
