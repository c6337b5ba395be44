// SPDX-License-Identifier: GPL-2.0-only
// Event kinds that a command prints: its default, modified by --event, --failed and --min-duration.
#pragma once

#include <string_view>

namespace bpftrap {

struct Events {
  bool execs = false;         // successful execs
  bool failed_execs = false;  // failed execs
  bool forks = false;
  bool exits = false;
  bool every_exit = false;  // includes processes whose exec was not reported
};

// A value of --event.
struct EventList {
  Events events;
  bool added = false;  // true if the list adds to the default
};

// Parses a value of --event. Throws std::invalid_argument with half a sentence.
EventList parse_events(std::string_view text);

// Returns the union of both.
Events operator|(const Events& a, const Events& b);

}  // namespace bpftrap
