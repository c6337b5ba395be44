// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/critical_path.h"

#include <algorithm>
#include <optional>

#include "core/analysis/waits.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// Two CPUs may disagree about the order of events that are closer than this.
constexpr std::chrono::microseconds clock_skew{10};

// The account of a running thread is at most so old (CONFIG_HZ=100).
constexpr std::chrono::milliseconds tick_most{10};

// Account of a process at a moment.
struct Account {
  Pid tid = 0;
  nanoseconds cpu{};
  nanoseconds cpu_wait{};
  std::uint64_t switches = 0;
  bool exact = false;  // else `cpu` lacks what was run since the last timer tick
};

struct Point {
  BootTime time;
  std::optional<Account> account;
};

Account account_of(const ThreadAccount& thread) {
  return {thread.tid, thread.cpu, thread.cpu_wait, thread.voluntary_switches, thread.blocked()};
}

nanoseconds clamp_to(nanoseconds value, nanoseconds most) {
  return std::clamp(value, nanoseconds::zero(), std::max(most, nanoseconds::zero()));
}

// Multiplies without an overflow.
nanoseconds share_of(nanoseconds whole, nanoseconds part, nanoseconds all) {
  if (all <= nanoseconds::zero()) {
    return {};
  }
  double share = static_cast<double>(part.count()) / static_cast<double>(all.count());
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * share));
}

class Walk {
 public:
  explicit Walk(const RecordedRun& run) : run_(run) {}

  CriticalPath from(Index root);

 private:
  // A process that the walk is in, at `upper` on its way to `begin`.
  struct Frame {
    Index process = no_index;
    BootTime begin;
    Point upper;
    std::vector<Index> awaited;  // the last end first
    std::size_t next = 0;        // of `awaited`
  };

  Frame enter(Index process, BootTime begin, BootTime end) const;
  // The child that the process waited for last, before the upper point.
  Index next_child(Frame& frame) const;
  Point birth_of(Index child, BootTime time) const;
  Point start_of(const Frame& frame) const;
  // The process made the progress between both points.
  void add(Index process, const Point& from, const Point& to);
  void split(Segment& segment, const Point& from, const Point& to) const;
  void split_by_lifetime(Segment& segment) const;
  void add_by_program(const Segment& segment);

  const RecordedRun& run_;
  std::vector<Segment> segments_;  // the last one first
};

Walk::Frame Walk::enter(Index process, BootTime begin, BootTime end) const {
  const RunProcess& p = run_.processes[process];
  Point upper{end, std::nullopt};
  if (p.end_recorded) {
    upper.account = Account{p.id.pid, p.cpu.user + p.cpu.system,
                            p.cpu_wait.value_or(nanoseconds::zero()), p.voluntary_switches, true};
  }
  return {process, begin, upper, awaited_children(run_, process)};
}

Index Walk::next_child(Frame& frame) const {
  for (; frame.next < frame.awaited.size(); ++frame.next) {
    const RunProcess& child = run_.processes[frame.awaited[frame.next]];
    BootTime end = std::min(child.end, frame.upper.time);
    if (end <= frame.begin) {
      break;
    }
    if (child.end - clock_skew <= frame.upper.time && child.start() < end) {
      return frame.awaited[frame.next++];
    }
  }
  return no_index;
}

Point Walk::birth_of(Index child, BootTime time) const {
  const RunProcess& c = run_.processes[child];
  bool known = c.born && c.creator == c.parent && c.start() == time;
  return {time, known ? std::optional(account_of(c.at_birth)) : std::nullopt};
}

Point Walk::start_of(const Frame& frame) const {
  const RunProcess& p = run_.processes[frame.process];
  bool whole = frame.begin == p.start();
  return {frame.begin, whole ? std::optional(Account{p.id.pid, {}, {}, 0, true}) : std::nullopt};
}

void Walk::split_by_lifetime(Segment& segment) const {
  const RunProcess& p = run_.processes[segment.process];
  segment.estimated = true;
  if (!p.end_recorded) {
    segment.unknown = true;
    segment.blocked = segment.duration();
    return;
  }
  nanoseconds life = std::max(p.end - p.start(), segment.duration());
  segment.cpu =
      clamp_to(share_of(p.cpu.user + p.cpu.system, segment.duration(), life), segment.duration());
  segment.cpu_wait =
      clamp_to(share_of(p.cpu_wait.value_or(nanoseconds::zero()), segment.duration(), life),
               segment.duration() - segment.cpu);
  segment.blocked = segment.duration() - segment.cpu - segment.cpu_wait;
}

void Walk::split(Segment& segment, const Point& from, const Point& to) const {
  if (!from.account || !to.account || from.account->tid != to.account->tid) {
    split_by_lifetime(segment);
    return;
  }
  const Account& a = *from.account;
  const Account& b = *to.account;
  nanoseconds wall = segment.duration();
  segment.sleeps = b.switches > a.switches ? b.switches - a.switches : 0;
  segment.cpu_wait = clamp_to(b.cpu_wait - a.cpu_wait, wall);
  nanoseconds awake = wall - segment.cpu_wait;
  bool exact = a.exact && b.exact;
  // A child takes time to end, after its record. On a busy machine that is more than a tick.
  bool may_have_slept = a.switches != b.switches || awake > b.cpu - a.cpu + tick_most;
  if (!exact && !may_have_slept) {
    segment.cpu = awake;
  } else {
    segment.cpu = clamp_to(b.cpu - a.cpu, awake);
    // Several threads have more CPU time than there was.
    segment.estimated = !exact || b.cpu - a.cpu > awake + handling_most;
  }
  segment.blocked = awake - segment.cpu;
}

// Execs divide a segment, unless the program before ran but a moment, as a shell that is about to
// execute a command.
void Walk::add_by_program(const Segment& whole) {
  Segment rest = whole;
  std::vector<Segment> pieces;
  for (Index i = run_.processes[whole.process].first_exec; i != no_index; i = run_.execs[i].next) {
    const RunExec& exec = run_.execs[i];
    if (exec.error != 0) {
      continue;
    }
    nanoseconds before = exec.time - rest.begin;
    nanoseconds after = whole.end - exec.time;
    if (!exec.older && before > handling_most && before > after / 10 &&
        after > nanoseconds::zero()) {
      Segment piece = rest;
      piece.end = exec.time;
      piece.blocked = std::min(share_of(rest.blocked, before, rest.duration()), before);
      piece.cpu_wait =
          clamp_to(share_of(rest.cpu_wait, before, rest.duration()), before - piece.blocked);
      piece.cpu = before - piece.blocked - piece.cpu_wait;
      rest.begin = exec.time;
      rest.blocked = clamp_to(rest.blocked - piece.blocked, after);
      rest.cpu_wait = clamp_to(rest.cpu_wait - piece.cpu_wait, after - rest.blocked);
      rest.cpu = after - rest.blocked - rest.cpu_wait;
      piece.estimated = rest.estimated = true;
      pieces.push_back(piece);
    }
    if (exec.older || exec.time < whole.end) {
      rest.program = &exec;
    }
  }
  pieces.push_back(rest);
  segments_.insert(segments_.end(), pieces.rbegin(), pieces.rend());
}

void Walk::add(Index process, const Point& from, const Point& to) {
  if (to.time <= from.time) {
    return;
  }
  Segment segment;
  segment.process = process;
  segment.begin = from.time;
  segment.end = to.time;
  split(segment, from, to);
  add_by_program(segment);
}

CriticalPath Walk::from(Index root) {
  const RunProcess& process = run_.processes[root];
  CriticalPath path;
  path.root = root;
  path.begin = std::max(process.start(), run_.start);
  if (!process.older) {
    path.begin = process.start();
  }
  path.end = std::max(process.ended ? process.end : run_.stop, path.begin);
  std::vector<Frame> frames;
  frames.push_back(enter(root, path.begin, path.end));
  while (!frames.empty()) {
    Frame& frame = frames.back();
    Index child = next_child(frame);
    if (child != no_index) {
      const RunProcess& c = run_.processes[child];
      BootTime end = std::min(c.end, frame.upper.time);
      bool known = c.end_recorded && c.end_parent == frame.process;
      add(frame.process, {end, known ? std::optional(account_of(c.at_end)) : std::nullopt},
          frame.upper);
      frames.push_back(enter(child, std::max(c.start(), frame.begin), end));
      continue;
    }
    add(frame.process, start_of(frame), frame.upper);
    Point birth = birth_of(frame.process, frame.begin);
    frames.pop_back();
    if (!frames.empty()) {
      frames.back().upper = birth;
    }
  }
  path.segments.assign(segments_.rbegin(), segments_.rend());
  return path;
}

}  // namespace

CriticalPath critical_path(const RecordedRun& run, Index root) {
  return Walk(run).from(root);
}

}  // namespace bpftrap
