// SPDX-License-Identifier: GPL-2.0-only
#include "markdown.h"

#include <cctype>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bpftrap::manual {

namespace {

std::size_t indent_of(const std::string& line) {
  std::size_t first = line.find_first_not_of(' ');
  return first == std::string::npos ? line.size() : first;
}

bool blank(const std::string& line) {
  return indent_of(line) == line.size();
}

std::string trimmed(const std::string& text) {
  std::size_t last = text.find_last_not_of(' ');
  return last == std::string::npos ? "" : text.substr(indent_of(text), last + 1 - indent_of(text));
}

// The mark of a list item that the line begins with, else an empty string.
std::string mark_of(const std::string& line) {
  std::string rest = line.substr(indent_of(line));
  if (rest.starts_with("- ") || rest.starts_with("* ")) {
    return "-";
  }
  std::size_t digits = 0;
  while (digits < rest.size() && std::isdigit(static_cast<unsigned char>(rest[digits])) != 0) {
    ++digits;
  }
  return digits > 0 && rest.substr(digits, 2) == ". " ? rest.substr(0, digits + 1) : "";
}

// Cells end at `|`, except in inline code and behind a backslash.
std::vector<std::string> split_row(const std::string& line) {
  std::vector<std::string> cells(1);
  bool code = false;
  for (std::size_t i = line.find('|') + 1; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cells.back() += line[++i];
    } else if (line[i] == '|' && !code) {
      cells.emplace_back();
    } else {
      code = code != (line[i] == '`');
      cells.back() += line[i];
    }
  }
  cells.pop_back();  // behind the last `|`
  for (std::string& cell : cells) {
    cell = trimmed(cell);
  }
  return cells;
}

class Reader {
 public:
  explicit Reader(const std::string& text) {
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines_.push_back(line);
    }
  }

  std::vector<Block> read() {
    while (at_ < lines_.size()) {
      read_block();
    }
    return std::move(blocks_);
  }

 private:
  const std::string& line() const { return lines_[at_]; }

  void read_block() {
    if (blank(line())) {
      ++at_;
    } else if (line().starts_with("<!--")) {
      while (line().find("-->") == std::string::npos && at_ + 1 < lines_.size()) {
        ++at_;
      }
      ++at_;
    } else if (line().starts_with("#")) {
      std::size_t level = line().find_first_not_of('#');
      add(Block::Kind::heading, static_cast<int>(level)).text = trimmed(line().substr(level));
      item_indent_ = 0;
      ++at_;
    } else if (trimmed(line()).starts_with("```")) {
      read_fenced();
    } else if (line().starts_with("|")) {
      Block& table = add(Block::Kind::table, 0);
      for (std::size_t row = 0; at_ < lines_.size() && line().starts_with("|"); ++at_, ++row) {
        if (row != 1) {  // not the line between header and body
          table.rows.push_back(split_row(line()));
        }
      }
    } else if (!mark_of(line()).empty() && indent_of(line()) < item_indent_ + 4) {
      read_item();
    } else if (indent_of(line()) >= item_indent_ + 4) {
      read_indented();
    } else {
      if (indent_of(line()) == 0) {
        item_indent_ = 0;
      }
      read_text(add(Block::Kind::paragraph, depth()));
    }
  }

  int depth() const { return static_cast<int>(item_indent_ + 1) / 2; }

  Block& add(Block::Kind kind, int level) {
    Block block;
    block.kind = kind;
    block.level = level;
    blocks_.push_back(block);
    return blocks_.back();
  }

  void read_fenced() {
    Block& code = add(Block::Kind::code, depth());
    std::size_t indent = indent_of(line());
    for (++at_; at_ < lines_.size() && !trimmed(line()).starts_with("```"); ++at_) {
      code.text += line().substr(std::min(indent, indent_of(line()))) + "\n";
    }
    ++at_;
  }

  void read_indented() {
    Block& code = add(Block::Kind::code, depth());
    std::size_t indent = item_indent_ + 4;
    std::string blanks;
    for (; at_ < lines_.size() && (blank(line()) || indent_of(line()) >= indent); ++at_) {
      if (blank(line())) {
        blanks += "\n";
      } else {
        code.text += blanks + line().substr(indent) + "\n";
        blanks.clear();
      }
    }
  }

  void read_item() {
    std::string mark = mark_of(line());
    std::size_t indent = indent_of(line());
    item_indent_ = indent + mark.size() + 1;
    Block& item = add(Block::Kind::item, static_cast<int>(indent / 2) + 1);
    item.mark = mark;
    lines_[at_] = line().substr(item_indent_);
    read_text(item);
  }

  // A paragraph's lines, up to one that begins something else.
  void read_text(Block& block) {
    bool first = true;
    for (; at_ < lines_.size() && !blank(line()); ++at_, first = false) {
      if (!first && (!mark_of(line()).empty() || line().starts_with("#") ||
                     line().starts_with("|") || trimmed(line()).starts_with("```"))) {
        return;
      }
      block.text += (first ? "" : " ") + trimmed(line());
    }
  }

  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::size_t item_indent_ = 0;  // where the text of the current item begins; 0: no item
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> read_markdown(const std::string& text) {
  return Reader(text).read();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  return content.str();
}

}  // namespace bpftrap::manual
