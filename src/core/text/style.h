// SPDX-License-Identifier: GPL-2.0-only
// Terminal text styles. This header holds every colour escape sequence.
#pragma once

#include <string>
#include <string_view>

namespace bpftrap {

enum class Style { plain, event, success, warning, failure };

inline constexpr std::string_view style_end = "\x1b[0m";

// Returns the escape sequence that starts the style; empty for plain text.
constexpr std::string_view style_begin(Style style) {
  switch (style) {
    case Style::event:
      return "\x1b[36m";
    case Style::success:
      return "\x1b[32m";
    case Style::warning:
      return "\x1b[33m";
    case Style::failure:
      return "\x1b[31m";
    case Style::plain:
      break;
  }
  return {};
}

// Appends the text, wrapped in the escapes of its style if `color` is true.
inline void append_styled(std::string& out, std::string_view text, Style style, bool color) {
  bool styled = color && style != Style::plain;
  out += styled ? style_begin(style) : std::string_view();
  out += text;
  out += styled ? style_end : std::string_view();
}

}  // namespace bpftrap
