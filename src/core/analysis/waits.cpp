// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/waits.h"

#include <algorithm>
#include <cstddef>
#include <optional>

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
                   parent.cpu_wait.value_or(nanoseconds::zero()), parent.id.pid});
  }
  std::sort(all.begin(), all.end(),
            [](const Sighting& a, const Sighting& b) { return a.time < b.time; });
  return all;
}

namespace {

// CPU time of the thread around a sighting: since the one before, until the one after.
std::optional<nanoseconds> cpu_around(const std::vector<Sighting>& all, std::size_t at) {
  auto is_same = [&](const Sighting& other) { return other.tid == all[at].tid; };
  auto here = all.begin() + static_cast<std::ptrdiff_t>(at);
  auto after = std::find_if(here + 1, all.end(), is_same);
  auto before = std::find_if(std::make_reverse_iterator(here), all.rend(), is_same);
  if (after == all.end() || before == all.rend()) {
    return std::nullopt;
  }
  return std::min(nanoseconds(after->time - before->time), after->cpu - before->cpu);
}

}  // namespace

std::vector<Index> awaited_children(const RecordedRun& run, Index process) {
  std::vector<Index> awaited;
  std::vector<Sighting> all;
  for (Index child : run.children(process)) {
    const RunProcess& c = run.processes[child];
    // Without its record, nobody knows: waiting is what most parents do.
    if (c.ended && (!c.end_recorded || (c.end_parent == process && c.at_end.blocked()))) {
      awaited.push_back(child);
    } else if (c.ended && c.end_parent == process && all.empty()) {
      all = sightings(run, process);
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].ended == no_index || run.processes[all[i].ended].at_end.blocked()) {
      continue;
    }
    std::optional<nanoseconds> cpu = cpu_around(all, i);
    if (cpu && *cpu <= handling_most) {
      awaited.push_back(all[i].ended);
    }
  }
  std::sort(awaited.begin(), awaited.end(),
            [&run](Index a, Index b) { return run.processes[a].end > run.processes[b].end; });
  return awaited;
}

}  // namespace bpftrap
