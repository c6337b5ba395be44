// SPDX-License-Identifier: GPL-2.0-only
// --fail-on: looks for a program among everything that PROGRAM and its descendants execute.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/record/record.h"

namespace bpftrap {

class FailOn {
 public:
  // Returns true if programs of this name are looked for.
  using Matches = std::function<bool(std::string_view base_name)>;

  explicit FailOn(Matches matches) : matches_(std::move(matches)) {}

  // True for the first successful exec whose `filename` or `exe` has such a base name.
  bool is_first_match(const ExecRecord& record);
  // Reports that match on standard error, with its ancestors.
  void report(const ExecRecord& match);

  // The exit status of bpftrap after PROGRAM, whose own is `program`. Says why it is another one.
  // `lost`: records may be missing. `to_the_end`: the trace lasted as long as PROGRAM.
  int status(int program, bool lost, bool to_the_end) const;

 private:
  // The path whose base name matches.
  std::optional<std::string_view> matching_path(const ExecRecord& record) const;

  Matches matches_;
  bool found_ = false;
  std::string name_;  // of the match: `comm[pid]`
};

}  // namespace bpftrap
