// SPDX-License-Identifier: GPL-2.0-only
#include "man_page.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "roff.h"

namespace bpftrap::manual {

namespace {

// The prose of a page: what comes before the first section, and the sections.
struct Prose {
  std::vector<Block> introduction;
  std::vector<std::vector<Block>> sections;  // each begins with its heading
};

bool is_synopsis(const Block& block) {
  return block.kind == Block::Kind::code && block.text.starts_with("bpftrap ");
}

bool is_option_table(const Block& block) {
  return block.kind == Block::Kind::table && block.rows.front().front() == "option";
}

// Leaves out what the command table has: title, synopsis and options.
Prose read_prose(const std::string& path) {
  Prose prose;
  if (!std::filesystem::exists(path)) {
    return prose;
  }
  for (Block& block : read_markdown(read_file(path))) {
    bool heading = block.kind == Block::Kind::heading;
    if (heading && block.level == 2) {
      prose.sections.emplace_back();
    }
    if (is_option_table(block) || (heading && block.level == 1) ||
        (prose.sections.empty() && is_synopsis(block))) {
      continue;
    }
    (prose.sections.empty() ? prose.introduction : prose.sections.back())
        .push_back(std::move(block));
  }
  return prose;
}

// Takes the section with this title out of the prose.
std::vector<Block> take_section(Prose& prose, const std::string& title) {
  auto found = std::find_if(prose.sections.begin(), prose.sections.end(),
                            [&](const auto& section) { return section.front().text == title; });
  if (found == prose.sections.end()) {
    return {};
  }
  std::vector<Block> section = std::move(*found);
  prose.sections.erase(found);
  return section;
}

class PageWriter {
 public:
  PageWriter(const ManSource& source, const CommandEntry& command)
      : source_(source),
        command_(command),
        page_(page_name(source.root, command), source.date, source.version),
        link_([this](const std::string& text, const std::string& target) {
          return link(text, target);
        }) {}

  std::string write() {
    Prose prose = read_prose(docs_page(command_));
    std::vector<Block> status = take_section(prose, "Exit status");
    std::vector<Block> examples = take_section(prose, "Examples");
    std::vector<Block> related = take_section(prose, "See also");
    if (status.empty() && !is_root()) {
      Prose common = read_prose(docs_page(source_.root));
      status = take_section(common, "Exit status");
    }
    name();
    synopsis();
    page_.section("Description");
    if (prose.introduction.empty()) {
      page_.paragraph(roff_text(one_line(command_.description)));
    }
    blocks(prose.introduction);
    commands();
    options(command_);
    for (const std::vector<Block>& section : prose.sections) {
      blocks(section);
    }
    blocks(status);
    if (examples.empty()) {
      help_examples();
    }
    blocks(examples);
    see_also(related);
    return page_.text();
  }

 private:
  bool is_root() const { return &command_ == &source_.root; }

  std::string docs_page(const CommandEntry& command) const {
    return source_.docs + "/" + command.name + ".md";
  }

  static std::string one_line(const std::string& text) {
    std::string line = text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
  }

  void name() {
    page_.section("Name");
    page_.paragraph(roff_text(page_name(source_.root, command_)) + " \\- " +
                    roff_text(one_line(command_.description)));
  }

  void synopsis_of(const CommandEntry& command) {
    std::string text = roff_literal(command.path);
    if (!command.options.empty()) {
      text += " [" + roff_italic("OPTIONS") + "]";
    }
    for (const Argument& argument : command.arguments) {
      text += argument.required ? " " + roff_italic(argument.name)
                                : " [" + roff_italic(argument.name) + "]";
    }
    if (&command == &source_.root) {
      text += " " + roff_italic("COMMAND") + " [" + roff_italic("OPTIONS") + "]";
    }
    if (command.runs_program) {
      text += " [" + roff_literal("--") + " " + roff_italic("PROGRAM ARGS...") + "]";
    }
    page_.paragraph(text);
  }

  void synopsis() {
    page_.section("Synopsis");
    if (is_root() || command_.commands.empty()) {
      synopsis_of(command_);
      return;
    }
    for (const CommandEntry& below : command_.commands) {
      synopsis_of(below);
    }
  }

  // The root's commands have pages, those of another command are described in its page.
  void commands() {
    if (command_.commands.empty()) {
      return;
    }
    page_.section("Commands");
    for (const CommandEntry& below : command_.commands) {
      std::string tag = is_root() ? page_reference(below) : roff_literal(below.path);
      page_.tagged(tag, roff_text(one_line(below.description)));
    }
  }

  void options(const CommandEntry& command) {
    page_.section("Options");
    list_options(command);
    if (!is_root()) {
      for (const CommandEntry& below : command.commands) {
        page_.subsection("Options of " + below.path);
        list_options(below);
      }
    }
  }

  void list_options(const CommandEntry& command) {
    std::string group;
    for (const OptionEntry& option : command.options) {
      bool single = command.options.front().group == command.options.back().group;
      if (!single && option.group != group) {
        page_.subsection(option.group);
      }
      group = option.group;
      std::string tag;
      for (const std::string& name : option.names()) {
        tag += (tag.empty() ? "" : ", ") + roff_literal(name);
      }
      if (!option.value_name.empty()) {
        std::string value = roff_italic(option.value_name);
        tag += option.value_optional ? "[=" + value + "]" : " " + value;
      }
      page_.tagged(tag, roff_text(one_line(option.description)));
    }
    for (const Argument& argument : command.arguments) {
      page_.tagged(roff_italic(argument.name), roff_text(one_line(argument.description)));
    }
  }

  void blocks(const std::vector<Block>& blocks) {
    for (const Block& block : blocks) {
      page_.block(block, link_);
    }
  }

  // The examples of --help, without their heading.
  void help_examples() {
    std::istringstream lines(command_.examples);
    std::string code;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("  ")) {
        code += line.substr(2) + "\n";
      }
    }
    if (!code.empty()) {
      page_.section("Examples");
      page_.code(code, 0);
    }
  }

  void see_also(const std::vector<Block>& related) {
    page_.section("See also");
    std::string pages;
    for (const CommandEntry& other : source_.root.commands) {
      if (&other != &command_) {
        pages += (pages.empty() ? "" : ", ") + page_reference(other);
      }
    }
    page_.paragraph((is_root() ? "" : page_reference(source_.root) + ", ") + pages);
    if (!related.empty()) {
      blocks({related.begin() + 1, related.end()});
    }
    std::string files;
    for (const std::string& file : files_) {
      files += (files.empty() ? "" : ", ") + roff_italic(file);
    }
    if (!files.empty()) {
      page_.paragraph("In " + roff_italic("share/doc/bpftrap") + ": " + files + ".");
    }
  }

  std::string page_reference(const CommandEntry& command) const {
    return roff_literal(page_name(source_.root, command)) + "(1)";
  }

  std::string link(const std::string& text, const std::string& target) {
    std::string file = target.substr(0, target.find('#'));
    std::string words = text;
    std::erase(words, '`');
    std::string shown = roff_inline(text, link_);
    if (file.empty() || file == command_.name + ".md") {
      return shown;
    }
    if (file.starts_with("https:")) {
      return shown + " <" + roff_text(file) + ">";
    }
    for (const CommandEntry& other : source_.root.commands) {
      if (file == other.name + ".md") {
        bool named = words == other.path || words == other.name || words == file;
        return named ? page_reference(other) : shown + " (" + page_reference(other) + ")";
      }
    }
    if (file.find('/') != std::string::npos) {
      return shown;  // of the source tree
    }
    files_.insert(file);
    bool named = words == file || words + ".md" == file;
    return named ? roff_italic(file) : shown + " (" + roff_italic(file) + ")";
  }

  const ManSource& source_;
  const CommandEntry& command_;
  RoffPage page_;
  LinkWriter link_;
  std::set<std::string> files_;  // pages of docs/ that are linked to
};

}  // namespace

std::string page_name(const CommandEntry& root, const CommandEntry& command) {
  return &command == &root ? root.name : root.name + "-" + command.name;
}

std::string man_page(const ManSource& source, const CommandEntry& command) {
  return PageWriter(source, command).write();
}

}  // namespace bpftrap::manual
