// SPDX-License-Identifier: GPL-2.0-only
#include "core/text/regex.h"

#include <new>
#include <stdexcept>

namespace bpftrap {

Regex::Regex(const std::string& expression) {
  if (expression.empty()) {
    throw std::invalid_argument("is empty; expected a POSIX extended regular expression");
  }
  auto compiled = std::make_unique<regex_t>();
  if (int error = ::regcomp(compiled.get(), expression.c_str(), REG_EXTENDED); error != 0) {
    char reason[128];
    ::regerror(error, compiled.get(), reason, sizeof reason);
    throw std::invalid_argument(std::string("is malformed (") + reason +
                                "); expected a POSIX extended regular expression");
  }
  compiled_ = std::shared_ptr<const regex_t>(compiled.release(), [](const regex_t* done) {
    auto* owned = const_cast<regex_t*>(done);
    ::regfree(owned);
    delete owned;
  });
}

std::optional<Regex::Match> Regex::find(std::string_view text, std::size_t from) const {
  // REG_STARTEND takes the text's bounds from the match, so the text needs no NUL at its end.
  regmatch_t match{static_cast<regoff_t>(from), static_cast<regoff_t>(text.size())};
  int flags = REG_STARTEND | (from > 0 ? REG_NOTBOL : 0);
  int result = ::regexec(compiled_.get(), text.data(), 1, &match, flags);
  if (result == REG_NOMATCH) {
    return std::nullopt;
  }
  if (result != 0) {
    throw std::bad_alloc();  // the only failure of a compiled expression
  }
  auto start = static_cast<std::size_t>(match.rm_so);
  return Match{start, static_cast<std::size_t>(match.rm_eo) - start};
}

}  // namespace bpftrap
