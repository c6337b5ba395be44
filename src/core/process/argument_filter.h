// SPDX-License-Identifier: GPL-2.0-only
// Filters records by their arguments (--match, --exclude-match), and hides parts of arguments
// (--redact).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"
#include "core/text/regex.h"

namespace bpftrap {

// Decides by the arguments joined by one space, or by comm if a record has no arguments.
class ArgumentFilter {
 public:
  void require(Regex expression) { required_.push_back(std::move(expression)); }
  void exclude(Regex expression) { excluded_.push_back(std::move(expression)); }

  bool empty() const { return required_.empty() && excluded_.empty(); }

  // True if one of the required expressions matches, or none is required, and no excluded one does.
  bool wants(const std::optional<Arguments>& args, std::string_view comm);

 private:
  std::vector<Regex> required_;
  std::vector<Regex> excluded_;
  std::string joined_;  // the arguments of the record that is examined
};

class Redaction {
 public:
  void add(Regex expression) { expressions_.push_back(std::move(expression)); }

  bool empty() const { return expressions_.empty(); }

  // Appends the strings, each of which ends with a NUL that the last one may lack. Each match in a
  // single string becomes `***`. A match does not span strings. Empty matches stay.
  void append(std::string& out, std::string_view nul_separated) const;

 private:
  void append_one(std::string& out, std::string_view text) const;

  std::vector<Regex> expressions_;
};

}  // namespace bpftrap
