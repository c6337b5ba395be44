// SPDX-License-Identifier: GPL-2.0-only
#include "cli/help_formatter.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/common_options.h"

namespace bpftrap {

namespace {

using Options = std::vector<const CLI::Option*>;

constexpr std::size_t line_width = 80;
constexpr std::size_t option_column = 28;
constexpr std::size_t command_column = 12;

// Appends words to a line that already has `column` characters. Indents continuation lines by
// `indent`. Never breaks a word.
void append_wrapped(std::string& out, std::string_view text, std::size_t column,
                    std::size_t indent) {
  bool first = true;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!first && column + 1 + word.size() > line_width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

// Appends a term with its description beside it, or below it if the term is long.
void append_term(std::string& out, const std::string& term, const std::string& description,
                 std::size_t column) {
  out += term;
  if (term.size() + 2 > column) {
    out += '\n';
    out.append(column, ' ');
  } else {
    out.append(column - term.size(), ' ');
  }
  append_wrapped(out, description, column, column);
}

// Returns a term such as `  -p, --pid PID`. Long names are aligned below each other.
std::string option_term(const CLI::Option& option) {
  const std::vector<std::string>& letters = option.get_snames();
  std::string term = letters.empty() ? "      " : fmt::format("  -{}", letters.front());
  for (const std::string& name : option.get_lnames()) {
    term += fmt::format("{}--{}", term.ends_with(' ') ? "" : ", ", name);
  }
  if (option.get_expected_max() == 0) {
    return term;
  }
  const char* separator = option.get_expected_min() == 0 ? "[=" : " ";
  const char* end = option.get_expected_min() == 0 ? "]" : "";
  return fmt::format("{}{}{}{}", term, separator, option.get_type_name(), end);
}

Options positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    return option->get_positional() && !option->get_group().empty();
  });
}

Options options_in(const CLI::App& app, const std::string& group) {
  return app.get_options([&group](const CLI::Option* option) {
    return option->nonpositional() && option->get_group() == group;
  });
}

std::string usage(const CLI::App& app, const std::string& name) {
  std::string line = "Usage: " + name;
  if (!app.get_subcommands({}).empty()) {
    for (const CLI::Option* option : app.get_options({})) {
      line += fmt::format(" [--{}]", option->get_lnames().front());
    }
    return line + " COMMAND [OPTIONS]\n";
  }
  line += " [OPTIONS]";
  for (const CLI::Option* option : positionals_of(app)) {
    std::string word = option->get_name(true);
    line += option->get_required() ? " " + word : fmt::format(" [{}]", word);
  }
  bool takes_program = app.get_option_no_throw(program_word_option) != nullptr;
  return line + (takes_program ? " [-- PROGRAM ARGS...]\n" : "\n");
}

}  // namespace

std::vector<std::string> option_groups(const CLI::App& app) {
  std::vector<std::string> groups = app.get_groups();
  const CLI::Option* help = app.get_help_ptr();
  if (help != nullptr) {
    auto last = std::find(groups.begin(), groups.end(), help->get_group());
    if (last != groups.end()) {
      std::rotate(last, last + 1, groups.end());
    }
  }
  return groups;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode /*mode*/) const {
  std::string out = usage(*app, name) + "\n";
  append_wrapped(out, app->get_description(), 0, 0);
  std::vector<const CLI::App*> commands = app->get_subcommands({});
  if (!commands.empty()) {
    out += "\nCommands:\n";
    for (const CLI::App* command : commands) {
      append_term(out, "  " + command->get_name(), command->get_description(), command_column);
    }
  }
  for (const std::string& group : option_groups(*app)) {
    Options options = options_in(*app, group);
    if (group.empty() || options.empty()) {
      continue;
    }
    out += fmt::format("\n{}:\n", group);
    for (const CLI::Option* option : options) {
      append_term(out, option_term(*option), option->get_description(), option_column);
    }
  }
  return out + fmt::format("\n{}\n", app->get_footer());
}

}  // namespace bpftrap
