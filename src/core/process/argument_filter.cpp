// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/argument_filter.h"

#include <algorithm>

namespace bpftrap {

namespace {

constexpr std::string_view mask = "***";

bool any_matches(const std::vector<Regex>& expressions, std::string_view text) {
  return std::any_of(expressions.begin(), expressions.end(),
                     [text](const Regex& expression) { return expression.matches(text); });
}

// The leftmost match, and the longest of those that begin there. Empty matches do not count.
std::optional<Regex::Match> find_first(const std::vector<Regex>& expressions, std::string_view text,
                                       std::size_t from) {
  std::optional<Regex::Match> first;
  for (const Regex& expression : expressions) {
    std::optional<Regex::Match> found = expression.find(text, from);
    while (found && found->size == 0 && found->start < text.size()) {
      found = expression.find(text, found->start + 1);
    }
    if (!found || found->size == 0) {
      continue;
    }
    if (!first || found->start < first->start ||
        (found->start == first->start && found->size > first->size)) {
      first = found;
    }
  }
  return first;
}

}  // namespace

bool ArgumentFilter::wants(const std::optional<Arguments>& args, std::string_view comm) {
  if (empty()) {
    return true;
  }
  std::string_view text = comm;
  if (args) {
    joined_ = args->bytes;
    if (!joined_.empty() && joined_.back() == '\0') {
      joined_.pop_back();
    }
    std::replace(joined_.begin(), joined_.end(), '\0', ' ');
    text = joined_;
  }
  return (required_.empty() || any_matches(required_, text)) && !any_matches(excluded_, text);
}

void Redaction::append_one(std::string& out, std::string_view text) const {
  std::size_t at = 0;
  while (std::optional<Regex::Match> found = find_first(expressions_, text, at)) {
    out += text.substr(at, found->start - at);
    out += mask;
    at = found->start + found->size;
  }
  out += text.substr(at);
}

void Redaction::append(std::string& out, std::string_view nul_separated) const {
  while (!nul_separated.empty()) {
    std::size_t end = std::min(nul_separated.find('\0'), nul_separated.size());
    append_one(out, nul_separated.substr(0, end));
    if (end == nul_separated.size()) {
      return;
    }
    out += '\0';
    nul_separated.remove_prefix(end + 1);
  }
}

}  // namespace bpftrap
