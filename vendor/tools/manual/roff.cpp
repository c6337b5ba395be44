// SPDX-License-Identifier: GPL-2.0-only
#include "roff.h"

#include <array>
#include <cctype>
#include <cstdint>
#include <sstream>
#include <utility>

namespace bpftrap::manual {

namespace {

constexpr std::size_t line_width = 78;

std::string upper(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

// The character that begins at `at`, which moves behind it.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  std::uint32_t first = byte(at);
  int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  std::uint32_t code = more == 0 ? first : first & (0x3fU >> more);
  for (++at; more > 0; --more, ++at) {
    code = code << 6 | (byte(at) & 0x3fU);
  }
  return code;
}

// Characters with a name that every roff knows, also where the terminal has ASCII only.
constexpr std::array<std::pair<std::uint32_t, std::string_view>, 12> names{{
    {'\\', "\\e"},
    {'\'', "\\(aq"},
    {'`', "\\(ga"},
    {'^', "\\(ha"},
    {'~', "\\(ti"},
    {0x2026, "..."},
    {0x2013, "\\(en"},
    {0x2014, "\\(em"},
    {0x2192, "\\(->"},
    {0x00b5, "\\(mc"},
    {0x00d7, "\\(mu"},
    {0x2265, "\\(>="},
}};

std::string escaped(std::string_view text, bool literal) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    bool word_begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '(';
    std::uint32_t c = next_character(text, at);
    bool known = false;
    for (const auto& [code, name] : names) {
      if (code == c) {
        result += name;
        known = true;
      }
    }
    if (known) {
      continue;
    }
    if (c == '-') {
      bool option = word_begins || (result.ends_with("\\-") && !result.ends_with(" \\-"));
      result += literal || option ? "\\-" : "-";
    } else if (c < 0x80) {
      result += static_cast<char>(c);
    } else {
      std::ostringstream name;
      name << "\\[u" << std::hex << std::uppercase;
      name.width(4);
      name.fill('0');
      name << c << "]";
      result += name.str();
    }
  }
  return result;
}

// A heading, which has a font already.
std::string without_markup(std::string markdown) {
  std::erase_if(markdown, [](char c) { return c == '`' || c == '*'; });
  return markdown;
}

// A line that roff takes for text, whatever it begins with.
std::string as_text_line(const std::string& line) {
  return line.starts_with(".") || line.starts_with("'") ? "\\&" + line : line;
}

}  // namespace

std::string roff_text(std::string_view text) {
  return escaped(text, false);
}
std::string roff_literal(std::string_view text) {
  return "\\fB" + escaped(text, true) + "\\fR";
}
std::string roff_italic(std::string_view text) {
  return "\\fI" + escaped(text, true) + "\\fR";
}

std::string roff_inline(const std::string& markdown, const LinkWriter& link) {
  std::string result;
  std::string plain;
  auto flush = [&] {
    result += roff_text(plain);
    plain.clear();
  };
  // Takes what lies between the delimiter at `at` and its next occurrence.
  auto enclosed = [&](std::size_t& at, const std::string& delimiter, std::string& inside) {
    std::size_t begin = at + delimiter.size();
    std::size_t end = markdown.find(delimiter, begin);
    if (markdown.compare(at, delimiter.size(), delimiter) != 0 || end == std::string::npos ||
        end == begin) {
      return false;
    }
    inside = markdown.substr(begin, end - begin);
    at = end + delimiter.size();
    return true;
  };
  for (std::size_t at = 0; at < markdown.size();) {
    std::string inside;
    std::size_t middle = markdown[at] == '[' ? markdown.find("](", at) : std::string::npos;
    std::size_t end = middle == std::string::npos ? middle : markdown.find(')', middle);
    if (markdown[at] == '\\' && at + 1 < markdown.size() &&
        std::ispunct(static_cast<unsigned char>(markdown[at + 1])) != 0) {
      plain += markdown[at + 1];
      at += 2;
    } else if (enclosed(at, "``", inside) || enclosed(at, "`", inside)) {
      flush();
      result += roff_literal(inside);
    } else if (enclosed(at, "**", inside)) {
      flush();
      result += "\\fB" + roff_text(inside) + "\\fR";
    } else if (enclosed(at, "*", inside)) {
      flush();
      result += "\\fI" + roff_text(inside) + "\\fR";
    } else if (end != std::string::npos) {
      flush();
      result += link(markdown.substr(at + 1, middle - at - 1),
                     markdown.substr(middle + 2, end - middle - 2));
      at = end + 1;
    } else {
      plain += markdown[at++];
    }
  }
  flush();
  return result;
}

RoffPage::RoffPage(const std::string& name, const std::string& date, const std::string& version) {
  page_ = ".TH " + roff_text(upper(name)) + " 1 " + date + " \"bpftrap " + version +
          "\" \"User Commands\"\n"
          ".\\\" Neither hyphenate nor justify.\n.nh\n.ad l\n";
}

void RoffPage::section(const std::string& title) {
  set_level(0);
  line(".SH " + roff_text(upper(title)));
  after_heading_ = true;
}

void RoffPage::subsection(const std::string& title) {
  set_level(0);
  line(".SS " + roff_text(title));
  after_heading_ = true;
}

void RoffPage::paragraph(const std::string& text) {
  if (!after_heading_) {
    line(".PP");
  }
  fill(text);
}

void RoffPage::tagged(const std::string& tag, const std::string& text) {
  line(".TP");
  line(as_text_line(tag));
  fill(text.empty() ? "\\&" : text);
}

void RoffPage::item(const std::string& mark, const std::string& text, int level) {
  set_level(level - 1);
  line(mark == "-" ? ".IP \\(bu 2" : ".IP " + mark + " 4");
  fill(text);
}

void RoffPage::code(const std::string& code, int level) {
  set_level(level);
  if (!after_heading_) {
    line(".PP");
  }
  line(".RS 4");
  line(".EX");
  std::istringstream lines(code);
  for (std::string each; std::getline(lines, each);) {
    line(as_text_line(escaped(each, true)));
  }
  line(".EE");
  line(".RE");
}

void RoffPage::line(const std::string& line) {
  page_ += line + "\n";
  after_heading_ = false;
}

void RoffPage::block(const Block& block, const LinkWriter& link) {
  switch (block.kind) {
    case Block::Kind::heading:
      if (block.level <= 2) {
        section(without_markup(block.text));
      } else {
        subsection(without_markup(block.text));
      }
      break;
    case Block::Kind::paragraph:
      set_level(block.level);
      paragraph(roff_inline(block.text, link));
      break;
    case Block::Kind::item:
      item(block.mark, roff_inline(block.text, link), block.level);
      break;
    case Block::Kind::code:
      code(block.text, block.level);
      break;
    case Block::Kind::table:
      table(block, link);
      return;
  }
  after_table_ = false;
}

// Two columns are a tag and its text. With more, each further cell has its column's name in front.
void RoffPage::table(const Block& table, const LinkWriter& link) {
  set_level(0);
  const std::vector<std::string>& header = table.rows.front();
  if (after_table_) {  // else the tables would be one list
    line(".PP");
    fill(roff_italic(header.front()) + ":");
  }
  for (std::size_t row = 1; row < table.rows.size(); ++row) {
    const std::vector<std::string>& cells = table.rows[row];
    std::string text;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      if (cells.size() > 2) {
        text += (text.empty() ? "" : "; ") + roff_italic(header[i]) + ": ";
      }
      text += roff_inline(cells[i], link);
    }
    tagged(roff_inline(cells.front(), link), text);
  }
  after_table_ = true;
}

void RoffPage::fill(const std::string& text) {
  std::istringstream words(text);
  std::string filled;
  for (std::string word; words >> word;) {
    if (!filled.empty() && filled.size() + 1 + word.size() > line_width) {
      line(as_text_line(filled));
      filled.clear();
    }
    filled += (filled.empty() ? "" : " ") + word;
  }
  line(as_text_line(filled));
}

void RoffPage::set_level(int level) {
  for (; level_ < level; ++level_) {
    line(".RS 2");
  }
  for (; level_ > level; --level_) {
    line(".RE");
  }
}

}  // namespace bpftrap::manual
