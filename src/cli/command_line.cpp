// SPDX-License-Identifier: GPL-2.0-only
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "cli/common_options.h"
#include "cli/export_options.h"
#include "cli/help_formatter.h"
#include "cli/wrong_usage.h"
#include "core/os/version.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

constexpr const char* general_group = "General";

std::string version_text() {
  return fmt::format("bpftrap {}", version());
}

void add_general_options(CLI::App& app) {
  app.set_help_flag("-h,--help", "print this help")->group(general_group)->disable_flag_override();
  app.set_version_flag("-V,--version", version_text(), "print the version")
      ->group(general_group)
      ->disable_flag_override();
}

bool has_program(int argc, const char* const* argv) {
  const char* const* end = argv + argc;
  const char* const* marker =
      std::find_if(argv, end, [](const char* word) { return std::string_view(word) == "--"; });
  return end - marker > 1;
}

// A wrong command line with PROGRAM has the status of a failure of bpftrap, unless the command
// takes none.
bool may_run_program(const CLI::App& app, int argc, const char* const* argv) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (argc > 1 && command->get_name() == argv[1]) {
      auto takes_program = [](const CLI::App* one) {
        return one->get_option_no_throw(program_word_option) != nullptr;
      };
      std::vector<const CLI::App*> below = command->get_subcommands({});
      return takes_program(command) || std::any_of(below.begin(), below.end(), takes_program);
    }
  }
  return true;
}

CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) {
      return app.get_subcommand(name);
    }
  }
  return nullptr;
}

// The command that the words name: a subcommand, if there are some.
CLI::App* innermost(CLI::App* command) {
  std::vector<CLI::App*> chosen = command->get_subcommands();
  return chosen.empty() ? command : innermost(chosen.front());
}

bool asks_for_help(const std::string& word) {
  return word == "help" || word == "--help" || word == "-h";
}

// Returns the text for `bpftrap --version`, `bpftrap --help`, `bpftrap help` or `bpftrap help
// COMMAND`, or nullopt for any other command line.
std::optional<std::string> answer(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty()) {
    return std::nullopt;
  }
  if (words.front() == "--version" || words.front() == "-V") {
    return version_text() + "\n";
  }
  if (!asks_for_help(words.front())) {
    return std::nullopt;
  }
  if (words.size() == 1 || asks_for_help(words[1])) {
    return app.help();
  }
  const CLI::App* command = find_command(app, words[1]);
  if (command == nullptr) {
    refuse_usage(explain_command(app, {words.begin() + 1, words.end()}));
  }
  if (CLI::App* subcommand = words.size() > 2 ? find_command(*command, words[2]) : nullptr) {
    return subcommand->help("bpftrap " + command->get_name());
  }
  return command->help("bpftrap");
}

Invocation read_words(CLI::App& app, const std::map<const CLI::App*, Run>& runs,
                      std::vector<std::string> words) {
  if (auto text = answer(app, {words.rbegin(), words.rend()})) {
    return {nullptr, *text, ended_as_asked};
  }
  CLI::App* command = words.empty() ? nullptr : find_command(app, words.back());
  if (command == nullptr) {
    refuse_usage(explain_command(app, {words.rbegin(), words.rend()}));
  }
  words.pop_back();
  try {
    command->parse(words);
  } catch (const CLI::CallForHelp&) {
    return {nullptr, command->help("bpftrap"), ended_as_asked};
  } catch (const CLI::CallForVersion&) {
    return {nullptr, version_text() + "\n", ended_as_asked};
  } catch (const RequestedText& requested) {
    return {nullptr, requested.text, ended_as_asked};
  } catch (const CLI::ParseError& error) {
    refuse_usage(explain_options(*innermost(command), error));
  }
  if (innermost(command) == command && !command->get_subcommands({}).empty()) {
    refuse_usage(explain_subcommand(*command));
  }
  return {runs.at(command), "", ended_as_asked};
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
        refuse_usage("--: a program is missing; expected -- PROGRAM ARGS...");
      }
      of_program = true;
      continue;
    } else if (word.starts_with(program_word_option)) {
      refuse_usage(fmt::format("unknown option '{}'; expected -- PROGRAM ARGS...", word));
    }
    complete_optional_value(word);
    words.push_back(std::move(word));
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::map<const CLI::App*, Run> add_commands(CLI::App& app) {
  app.name("bpftrap");
  app.description(
      "print every program that a Linux machine executes and every process that ends: why it "
      "ended, and what it cost");
  app.formatter(std::make_shared<HelpFormatter>());
  add_general_options(app);
  set_examples(app,
               "  sudo bpftrap hello                    check that BPF works here\n"
               "  sudo bpftrap exec                     every program that is executed\n"
               "  sudo bpftrap exec -- make             only programs that make executes\n"
               "  sudo bpftrap exit --min-duration 1s   processes that lived 1 s or more\n"
               "\n"
               "`bpftrap help COMMAND` prints the options of a command.");
  std::map<const CLI::App*, Run> runs;
#define COMMAND(name, description)                               \
  {                                                              \
    CLI::App* command = app.add_subcommand(#name, description);  \
    add_general_options(*command);                               \
    runs[command] = setup_##name(*command);                      \
    for (CLI::App * subcommand : command->get_subcommands({})) { \
      add_general_options(*subcommand);                          \
    }                                                            \
  }
#include "cli/commands.def"
#undef COMMAND
  return runs;
}

Invocation read_command_line(int argc, const char* const* argv) {
  CLI::App app;
  std::map<const CLI::App*, Run> runs = add_commands(app);
  bool with_program = has_program(argc, argv) && may_run_program(app, argc, argv);
  try {
    Invocation line = read_words(app, runs, words_of(argc, argv));
    bool is_diff = argc > 1 && std::string_view(argv[1]) == "diff";
    line.failure = with_program ? bpftrap_failed : is_diff ? diff_failed : could_not_work;
    return line;
  } catch (const CLI::ValidationError& wrong) {
    // A message is one line, but a word may contain a line feed.
    std::string text = terminal_safe(wrong.what());
    return {nullptr, text, with_program ? bpftrap_failed : wrong_command_line};
  }
}

}  // namespace bpftrap
