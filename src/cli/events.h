// SPDX-License-Identifier: GPL-2.0-only
// Kinds of events that a command prints: its default, changed by --event, --failed and
// --min-duration.
#pragma once

#include <string_view>

namespace bpftrap {

struct Events {
  bool execs = false;         // execs that succeeded
  bool failed_execs = false;  // execs that failed
  bool exits = false;
  bool every_exit = false;  // also those of processes whose exec was not reported
};

// A value of --event.
struct EventList {
  Events events;
  bool added = false;  // to the command's default
};

// Throws std::invalid_argument with the second half of a sentence.
EventList parse_events(std::string_view text);

// The union of both.
Events operator|(const Events& a, const Events& b);

}  // namespace bpftrap
