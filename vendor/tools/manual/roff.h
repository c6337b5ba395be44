// SPDX-License-Identifier: GPL-2.0-only
// Writes man(7) pages from blocks of Markdown.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "markdown.h"

namespace bpftrap::manual {

// Text for roff, without any markup.
std::string roff_text(std::string_view text);

// The same in bold, with dashes that can be copied.
std::string roff_literal(std::string_view text);
std::string roff_italic(std::string_view text);

// A link of Markdown as roff.
using LinkWriter = std::function<std::string(const std::string& text, const std::string& target)>;

// Inline Markdown as roff.
std::string roff_inline(const std::string& markdown, const LinkWriter& link);

class RoffPage {
 public:
  RoffPage(const std::string& name, const std::string& date, const std::string& version);

  void section(const std::string& title);
  void subsection(const std::string& title);
  // From here on text is roff's. It is broken into lines.
  void paragraph(const std::string& text);
  void tagged(const std::string& tag, const std::string& text);
  void item(const std::string& mark, const std::string& text, int level);
  void code(const std::string& code, int level);
  void line(const std::string& line);

  void block(const Block& block, const LinkWriter& link);

  const std::string& text() const { return page_; }

 private:
  void table(const Block& table, const LinkWriter& link);
  void fill(const std::string& text);
  void set_level(int level);

  std::string page_;
  bool after_heading_ = false;
  bool after_table_ = false;
  int level_ = 0;  // how many .RS are open
};

}  // namespace bpftrap::manual
