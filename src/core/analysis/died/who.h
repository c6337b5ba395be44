// SPDX-License-Identifier: GPL-2.0-only
// The argument WHO of `why died`.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/record/record.h"
#include "core/text/units.h"

namespace bpftrap {

struct Who {
  enum class Kind { pid, id, unit, container, name };

  Kind kind = Kind::name;
  PidOrId process = {};   // of a pid or an id
  std::string text = {};  // else: unit, beginning of the container id, or glob
};

// Digits are a pid; `PID-START` an id; `NAME.service` and other names of units that hold processes
// a unit; 12 or more hex digits a container; anything else, and the rest of `comm:GLOB`, a glob for
// comm. Throws std::invalid_argument with half a sentence.
Who parse_who(std::string_view text);

// Decides about processes whose cgroup is filled in.
class WhoMatcher {
 public:
  // `matches_name`: the compiled glob of Kind::name.
  WhoMatcher(Who who, std::function<bool(std::string_view)> matches_name)
      : who_(std::move(who)), matches_name_(std::move(matches_name)) {}

  const Who& who() const { return who_; }
  // True if the process is the one, or, of a unit or container, one of its processes.
  bool matches(const Process& process) const;
  // The same for a process of which only these are known: it cannot match a unit.
  bool matches(const ProcessId& id, Pid local_pid, std::string_view comm) const;

 private:
  Who who_;
  std::function<bool(std::string_view)> matches_name_;
};

}  // namespace bpftrap
