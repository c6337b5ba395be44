// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/waits.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

Sighting sighting(BootTime time, const ThreadAccount& account, Index ended) {
  return {time, account.cpu, account.cpu_wait, account.tid, ended};
}

}  // namespace

std::vector<Sighting> sightings(const RecordedRun& run, Index process) {
  const RunProcess& parent = run.processes[process];
  std::vector<Sighting> all;
  all.reserve(2 * run.children(process).size() + 2);
  for (Index child : run.children(process)) {
    const RunProcess& c = run.processes[child];
    if (c.born && c.creator == process) {
      all.push_back(sighting(c.start(), c.at_birth, no_index));
    }
    if (c.end_recorded && c.end_parent == process) {
      all.push_back(sighting(c.end, c.at_end, child));
    }
  }
  all.push_back({parent.start(), {}, {}, parent.id.pid});
  if (parent.end_recorded) {
    all.push_back({parent.end, parent.cpu.user + parent.cpu.system,
                   parent.cpu_wait.value_or(nanoseconds::zero()), parent.id.pid, no_index,
                   parent.had_threads});
  }
  std::sort(all.begin(), all.end(),
            [](const Sighting& a, const Sighting& b) { return a.time < b.time; });
  return all;
}

namespace {

// The thread slept for most of the time between both. The account of a running thread may lack a
// tick.
bool slept_between(const Sighting& before, const Sighting& after) {
  nanoseconds awake = after.cpu - before.cpu + after.cpu_wait - before.cpu_wait;
  return after.cpu - before.cpu <= handling_most &&
         2 * (awake + handling_most) <= after.time - before.time;
}

// Adds the children that ended while a thread of the process was awake for a moment.
void add_handled(const RecordedRun& run, std::vector<Sighting>&& all, std::vector<Index>& awaited) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Sighting& a, const Sighting& b) { return a.tid < b.tid; });
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    const Sighting& before = all[i - 1];
    const Sighting& here = all[i];
    const Sighting& after = all[i + 1];
    if (before.tid != here.tid || after.tid != here.tid || here.ended == no_index ||
        run.processes[here.ended].at_end.blocked()) {
      continue;
    }
    // All threads together had no less than this one.
    if (std::min(nanoseconds(after.time - before.time), after.cpu - before.cpu) <= handling_most ||
        slept_between(before, here)) {
      awaited.push_back(here.ended);
    }
  }
}

}  // namespace

std::vector<Index> awaited_children(const RecordedRun& run, Index process) {
  std::vector<Index> awaited;
  std::vector<Sighting> all;
  for (Index child : run.children(process)) {
    const RunProcess& c = run.processes[child];
    // Without its record, nobody knows: waiting is what most parents do. So do parents at the end
    // of the recording whose children still run.
    bool running = !c.ended && !run.processes[process].ended;
    bool unknown = c.ended && !c.end_recorded;
    if (running || unknown || (c.ended && c.end_parent == process && c.at_end.blocked())) {
      awaited.push_back(child);
    } else if (c.ended && c.end_parent == process && all.empty()) {
      all = sightings(run, process);
    }
  }
  add_handled(run, std::move(all), awaited);
  std::sort(awaited.begin(), awaited.end(), [&run](Index a, Index b) {
    return std::pair(run.end_of(a), run.processes[a].start()) >
           std::pair(run.end_of(b), run.processes[b].start());
  });
  return awaited;
}

}  // namespace bpftrap
