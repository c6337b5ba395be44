// SPDX-License-Identifier: GPL-2.0-only
// The Markdown that pages below docs/ are written in, split into blocks.
#pragma once

#include <string>
#include <vector>

namespace bpftrap::manual {

struct Block {
  enum class Kind { heading, paragraph, item, code, table };
  Kind kind = Kind::paragraph;
  int level = 0;     // of a heading, from 1; else how many lists it lies in
  std::string mark;  // of an item: "-" or "1."
  std::string text;  // of code with line feeds, else one line of Markdown
  std::vector<std::vector<std::string>> rows;  // of a table, the header first
};

std::vector<Block> read_markdown(const std::string& text);

// The file's content. Throws std::runtime_error.
std::string read_file(const std::string& path);

}  // namespace bpftrap::manual
