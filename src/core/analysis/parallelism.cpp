// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/parallelism.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/waits.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t parts_most = 10000;
constexpr nanoseconds part_least{100'000};

}  // namespace

std::vector<Index> descendants(const RecordedRun& run, Index root) {
  std::vector<Index> all{root};
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::span<const Index> children = run.children(all[i]);
    all.insert(all.end(), children.begin(), children.end());
  }
  return all;
}

Parallelism::Parallelism(const RecordedRun& run, const std::vector<Index>& members, BootTime begin,
                         BootTime end)
    : begin_(begin), end_(std::max(end, begin + nanoseconds(1))) {
  auto parts = static_cast<std::size_t>((end_ - begin_) / part_least);
  parts = std::clamp<std::size_t>(parts, 1, parts_most);
  width_ = static_cast<double>((end_ - begin_).count()) / static_cast<double>(parts);
  running_.resize(parts);
  steps_.resize(parts + 1);
  for (Index process : members) {
    add_process(run, process);
  }
  double level = 0;
  for (std::size_t i = 0; i < parts; ++i) {
    level += steps_[i];
    running_[i] = std::max(running_[i] + level, 0.0);
  }
}

void Parallelism::add_process(const RecordedRun& run, Index process) {
  const RunProcess& p = run.processes[process];
  if (!p.end_recorded) {
    return;
  }
  nanoseconds total = p.cpu.user + p.cpu.system + p.cpu_wait.value_or(nanoseconds::zero());
  nanoseconds known{};
  if (!run.children(process).empty()) {
    std::vector<Sighting> all = sightings(run, process);
    const Sighting* last = nullptr;
    for (const Sighting& sighting : all) {
      if (sighting.tid != p.id.pid || sighting.all_threads) {
        continue;
      }
      if (last != nullptr) {
        nanoseconds time = sighting.cpu + sighting.cpu_wait - last->cpu - last->cpu_wait;
        time = std::clamp(time, nanoseconds::zero(), nanoseconds(sighting.time - last->time));
        add(last->time, sighting.time, time);
        known += time;
      }
      last = &sighting;
    }
  }
  if (total > known) {
    add(p.start(), p.end, total - known);
  }
}

void Parallelism::add(BootTime from, BootTime to, nanoseconds time) {
  if (to <= from || time <= nanoseconds::zero()) {
    return;
  }
  double level = static_cast<double>(time.count()) / static_cast<double>((to - from).count());
  double first = std::max(0.0, static_cast<double>((from - begin_).count()) / width_);
  double last = std::min(static_cast<double>(running_.size()),
                         static_cast<double>((to - begin_).count()) / width_);
  if (last <= first) {
    return;
  }
  auto first_part = static_cast<std::size_t>(first);
  auto last_part = std::min(static_cast<std::size_t>(last), running_.size() - 1);
  if (first_part == last_part) {
    running_[first_part] += level * (last - first);
    return;
  }
  running_[first_part] += level * (static_cast<double>(first_part) + 1 - first);
  running_[last_part] += level * (last - static_cast<double>(last_part));
  steps_[first_part + 1] += level;
  steps_[last_part] -= level;
}

Index Parallelism::busiest(const RecordedRun& run, const std::vector<Index>& members,
                           BootTime begin, BootTime end) {
  Index found = no_index;
  double most = 0;
  for (Index index : members) {
    const RunProcess& p = run.processes[index];
    nanoseconds common = std::min(p.end, end) - std::max(p.start(), begin);
    if (!p.end_recorded || common <= nanoseconds::zero()) {
      continue;
    }
    auto busy = static_cast<double>((p.cpu.user + p.cpu.system).count()) +
                static_cast<double>(p.cpu_wait.value_or(nanoseconds::zero()).count());
    double share = static_cast<double>(common.count()) /
                   static_cast<double>(std::max<std::int64_t>((p.end - p.start()).count(), 1));
    if (busy * share > most) {
      most = busy * share;
      found = index;
    }
  }
  return found;
}

BootTime Parallelism::begin_of(std::size_t part) const {
  return part >= running_.size()
             ? end_
             : begin_ + nanoseconds(static_cast<std::int64_t>(width_ * static_cast<double>(part)));
}

std::vector<double> Parallelism::shares(std::size_t most) const {
  std::vector<double> shares(most + 1);
  for (std::size_t i = 0; i < running_.size(); ++i) {
    shares[std::min(running_in(i), most)] += 1.0 / static_cast<double>(running_.size());
  }
  return shares;
}

double Parallelism::wanted(double cpus) const {
  double sum = 0;
  for (double running : running_) {
    sum += std::min(running, cpus);
  }
  return sum / static_cast<double>(running_.size());
}

std::vector<Parallelism::Stretch> Parallelism::serial_stretches(nanoseconds least) const {
  // A short peak does not end a stretch.
  constexpr std::size_t peak_most = 3;
  std::vector<Stretch> found;
  std::size_t begin = 0;
  std::size_t peak = 0;
  double sum = 0;
  for (std::size_t i = 0; i <= running_.size(); ++i) {
    bool serial = i < running_.size() && running_in(i) <= 1;
    peak = serial ? 0 : peak + 1;
    bool ends = i == running_.size() || peak > peak_most;
    if (!ends) {
      sum += running_[i];
      continue;
    }
    std::size_t end = i + 1 - std::min(peak, i + 1);
    if (end > begin && begin_of(end) - begin_of(begin) >= least) {
      found.push_back({begin_of(begin), begin_of(end),
                       sum / static_cast<double>(std::max<std::size_t>(i - begin, 1))});
    }
    begin = i + 1;
    sum = 0;
  }
  std::sort(found.begin(), found.end(),
            [](const Stretch& a, const Stretch& b) { return a.duration() > b.duration(); });
  return found;
}

}  // namespace bpftrap
