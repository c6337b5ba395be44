// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/critical_path.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/analysis/time_bounds.h"
#include "core/analysis/waits.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// Two CPUs may disagree about the order of events that are closer than this.
constexpr std::chrono::microseconds clock_skew{10};

// The account of a running thread is at most so old (CONFIG_HZ=100).
constexpr std::chrono::milliseconds tick_most{10};

// Account of a thread at a moment.
struct Account {
  Pid tid = 0;  // 0: that of all threads of a process that had several
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
  return nanoseconds(std::llround(static_cast<double>(whole.count()) * share));
}

// Splits the segment. If both are more than its time, each gets its share.
void set_busy(Segment& segment, nanoseconds cpu, nanoseconds waited) {
  nanoseconds busy = saturating_sum(cpu, waited);
  nanoseconds awake = clamp_to(busy, segment.duration());
  segment.cpu = clamp_to(busy == awake ? cpu : share_of(awake, cpu, busy), awake);
  segment.cpu_wait = awake - segment.cpu;
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
    std::vector<Index> awaited;     // the last end first
    std::size_t next = 0;           // of `awaited`
    std::size_t first_program = 0;  // in programs_
  };

  Frame enter(Index process, BootTime begin, BootTime end);
  // The child that the process waited for last, before the upper point.
  Index next_child(Frame& frame) const;
  Point birth_of(Index child, BootTime time) const;
  Point start_of(const Frame& frame) const;
  // The process made the progress between both points. Those of a frame come the last one first.
  void add(const Frame& frame, const Point& from, const Point& to);
  void split(Segment& segment, const Point& from, const Point& to) const;
  void split_by_lifetime(Segment& segment) const;
  void add_by_program(const Frame& frame, const Segment& segment);

  const RecordedRun& run_;
  std::vector<Segment> segments_;  // the last one first
  // For each frame the programs of its process, in order of time. Those that are later than its
  // next segment are removed.
  std::vector<const RunExec*> programs_;
};

// A program that is older than the recording began at an unknown time.
BootTime begin_of(const RunExec& program) {
  return program.older ? BootTime::min() : program.time;
}

Walk::Frame Walk::enter(Index process, BootTime begin, BootTime end) {
  const RunProcess& p = run_.processes[process];
  Point upper{end, std::nullopt};
  if (p.end_recorded) {
    upper.account = Account{p.had_threads ? 0 : p.id.pid, p.cpu.user + p.cpu.system,
                            p.cpu_wait.value_or(nanoseconds::zero()), p.voluntary_switches, true};
  }
  std::size_t first = programs_.size();
  for (Index i = p.first_exec; i != no_index; i = run_.execs[i].next) {
    if (run_.execs[i].error == 0) {
      programs_.push_back(&run_.execs[i]);
    }
  }
  std::sort(programs_.begin() + static_cast<std::ptrdiff_t>(first), programs_.end(),
            [](const RunExec* a, const RunExec* b) {
              return std::pair(begin_of(*a), a->exec_id) < std::pair(begin_of(*b), b->exec_id);
            });
  return {process, begin, upper, awaited_children(run_, process), 0, first};
}

Index Walk::next_child(Frame& frame) const {
  for (; frame.next < frame.awaited.size(); ++frame.next) {
    const RunProcess& child = run_.processes[frame.awaited[frame.next]];
    BootTime child_end = run_.end_of(frame.awaited[frame.next]);
    BootTime end = std::min(child_end, frame.upper.time);
    if (end <= frame.begin) {
      break;
    }
    if (child_end - clock_skew <= frame.upper.time && child.start() < end) {
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
    return;
  }
  nanoseconds life = std::max(p.end - p.start(), segment.duration());
  nanoseconds wait = p.cpu_wait.value_or(nanoseconds::zero());
  set_busy(segment, share_of(p.cpu.user + p.cpu.system, segment.duration(), life),
           share_of(wait, segment.duration(), life));
}

void Walk::split(Segment& segment, const Point& from, const Point& to) const {
  if (!from.account || !to.account || from.account->tid != to.account->tid) {
    split_by_lifetime(segment);
    return;
  }
  const Account& a = *from.account;
  const Account& b = *to.account;
  nanoseconds wall = segment.duration();
  nanoseconds cpu = std::max(b.cpu - a.cpu, nanoseconds::zero());
  nanoseconds waited = std::max(b.cpu_wait - a.cpu_wait, nanoseconds::zero());
  constexpr std::uint64_t sleeps_most = (1U << 30U) - 1;
  std::uint64_t sleeps = b.switches > a.switches ? b.switches - a.switches : 0;
  segment.sleeps = static_cast<std::uint32_t>(std::min(sleeps, sleeps_most)) & sleeps_most;
  nanoseconds awake = wall - clamp_to(waited, wall);
  bool exact = a.exact && b.exact;
  // A child takes time to end, after its record. On a busy machine that is more than a tick.
  bool may_have_slept = a.switches != b.switches || awake > cpu + tick_most;
  if (!exact && !may_have_slept) {
    segment.cpu = awake;
    segment.cpu_wait = wall - awake;
    return;
  }
  // The account at the end of a process includes the time that it takes to end.
  nanoseconds tolerance = handling_most + wall / 50;
  set_busy(segment, cpu, waited);
  segment.estimated = !exact || cpu > wall - std::min(waited, wall) + tolerance;
}

// Execs divide a segment, unless the program before ran but a moment, as a shell that is about to
// execute a command.
void Walk::add_by_program(const Frame& frame, const Segment& whole) {
  while (programs_.size() > frame.first_program && begin_of(*programs_.back()) >= whole.end) {
    programs_.pop_back();
  }
  std::size_t next = programs_.size();
  while (next > frame.first_program && begin_of(*programs_[next - 1]) > whole.begin) {
    --next;
  }
  Segment rest = whole;
  rest.program = next > frame.first_program ? programs_[next - 1] : nullptr;
  std::size_t first = segments_.size();
  for (; next < programs_.size(); ++next) {
    const RunExec& exec = *programs_[next];
    nanoseconds before = exec.time - rest.begin;
    nanoseconds after = whole.end - exec.time;
    if (before > handling_most && before > after / 10) {
      Segment piece = rest;
      piece.end = exec.time;
      piece.cpu = clamp_to(share_of(rest.cpu, before, rest.duration()), before);
      piece.cpu_wait =
          clamp_to(share_of(rest.cpu_wait, before, rest.duration()), before - piece.cpu);
      rest.begin = exec.time;
      rest.cpu = clamp_to(rest.cpu - piece.cpu, after);
      rest.cpu_wait = clamp_to(rest.cpu_wait - piece.cpu_wait, after - rest.cpu);
      piece.estimated = rest.estimated = true;
      segments_.push_back(piece);
    }
    rest.program = &exec;
  }
  segments_.push_back(rest);
  std::reverse(segments_.begin() + static_cast<std::ptrdiff_t>(first), segments_.end());
}

void Walk::add(const Frame& frame, const Point& from, const Point& to) {
  if (to.time <= from.time) {
    return;
  }
  Segment segment;
  segment.process = frame.process;
  segment.begin = from.time;
  segment.end = to.time;
  split(segment, from, to);
  // The account is that of the thread that waited. Some kernels count no waiting.
  const RunProcess& p = run_.processes[frame.process];
  segment.estimated |= p.had_threads || (p.end_recorded && !p.cpu_wait);
  add_by_program(frame, segment);
}

CriticalPath Walk::from(Index root) {
  const RunProcess& process = run_.processes[root];
  CriticalPath path;
  path.root = root;
  path.begin = std::max(process.start(), run_.start);
  if (!process.older) {
    path.begin = process.start();
  }
  path.end = std::max(run_.end_of(root), path.begin);
  // One for each process, and one for each time that another process waited for it. Memory is used
  // only for those that there are.
  segments_.reserve(2 * run_.processes.size());
  std::vector<Frame> frames;
  frames.push_back(enter(root, path.begin, path.end));
  while (!frames.empty()) {
    Frame& frame = frames.back();
    Index child = next_child(frame);
    if (child != no_index) {
      const RunProcess& c = run_.processes[child];
      BootTime end = std::min(run_.end_of(child), frame.upper.time);
      bool known = c.end_recorded && c.end_parent == frame.process;
      add(frame, {end, known ? std::optional(account_of(c.at_end)) : std::nullopt}, frame.upper);
      frames.push_back(enter(child, std::max(c.start(), frame.begin), end));
      continue;
    }
    add(frame, start_of(frame), frame.upper);
    Point birth = birth_of(frame.process, frame.begin);
    programs_.resize(frame.first_program);
    frames.pop_back();
    if (!frames.empty()) {
      frames.back().upper = birth;
    }
  }
  std::reverse(segments_.begin(), segments_.end());
  path.segments = std::move(segments_);
  return path;
}

}  // namespace

CriticalPath critical_path(const RecordedRun& run, Index root) {
  return Walk(run).from(root);
}

}  // namespace bpftrap
