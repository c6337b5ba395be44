// SPDX-License-Identifier: GPL-2.0-only
#include "cli/events.h"

#include <algorithm>
#include <stdexcept>

namespace bpftrap {

namespace {

Events event_named(std::string_view name) {
  if (name == "exec") {
    return {.execs = true};
  }
  if (name == "failed") {
    return {.failed_execs = true};
  }
  if (name == "exit") {
    return {.exits = true, .every_exit = true};
  }
  if (name == "fork") {
    return {.forks = true};
  }
  throw std::invalid_argument(
      "is not a list of events; expected exec, failed, fork, exit, or +LIST");
}

}  // namespace

Events operator|(const Events& a, const Events& b) {
  return {a.execs || b.execs, a.failed_execs || b.failed_execs, a.forks || b.forks,
          a.exits || b.exits, a.every_exit || b.every_exit};
}

EventList parse_events(std::string_view text) {
  EventList list;
  list.added = text.starts_with('+');
  text.remove_prefix(list.added ? 1 : 0);
  for (;;) {
    std::size_t comma = std::min(text.find(','), text.size());
    list.events = list.events | event_named(text.substr(0, comma));
    if (comma == text.size()) {
      return list;
    }
    text.remove_prefix(comma + 1);
  }
}

}  // namespace bpftrap
