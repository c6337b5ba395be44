// SPDX-License-Identifier: GPL-2.0-only
// Time: the kernel stamps events with CLOCK_BOOTTIME (bpf_ktime_get_boot_ns), people read wall
// clocks. Stands between decode, which yields BootTime, and the sinks, which print WallTime.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

namespace bpftrap {

// CLOCK_BOOTTIME as the kernel itself counts it, time asleep included. Inside a time namespace
// clock_gettime() adds that namespace's offset and BPF helpers do not: here it is taken off again,
// so that now() compares with the events.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;

  static time_point now();
};

using BootTime = BootClock::time_point;

// What /proc/self/timens_offsets (its text is the argument) says is added to CLOCK_BOOTTIME in
// this time namespace; 0 where the text says nothing of it.
std::chrono::nanoseconds boottime_namespace_offset(std::string_view timens_offsets);

// Nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME): 1677 to 2262.
struct WallTime {
  std::int64_t ns;

  friend bool operator==(WallTime, WallTime) = default;
};

// Where a WallClock reads the time; tests put their own in.
struct TimeSources {
  std::function<BootTime()> now_boot;
  std::function<WallTime()> now_real;

  static TimeSources system();
};

// Says what the wall clock showed at a boot time.
//
// CLOCK_REALTIME and CLOCK_BOOTTIME both are the kernel's monotonic base plus an offset
// (kernel/time/timekeeping.c: offs_real, offs_boot). NTP slews that base and so both alike, and a
// suspend adds the same to both: their difference changes only when somebody sets the clock
// (do_settimeofday64(), timekeeping_inject_offset(), leap seconds). So it is measured, kept, and
// replaced only when a new measurement contradicts it.
class WallClock {
 public:
  explicit WallClock(TimeSources sources = TimeSources::system());

  // Measures again. To be called each second and when the kernel tells of a step
  // (TFD_TIMER_CANCEL_ON_SET). Returns whether the wall clock has been set since the last call.
  bool reanchor();

  // Events from before the last step that reanchor() found keep the offset that was true then.
  // Just when between two calls of reanchor() the step took place is not known; it is dated to
  // the call that found it.
  WallTime to_wall(BootTime time) const;

  WallTime now() const { return to_wall(sources_.now_boot()); }

 private:
  // The difference, as far as two readings of one clock around one of the other can tell.
  struct Anchor {
    BootTime since;
    std::int64_t lowest;
    std::int64_t highest;
    std::int64_t offset;
  };

  Anchor measure() const;

  TimeSources sources_;
  Anchor current_;
  Anchor previous_;
};

// Writes wall times. Keeps the text of the last second, since consecutive events mostly share
// theirs: then only the fraction is written anew. One per sink; not for use by several threads.
class TimestampFormatter {
 public:
  // `2026-01-31T12:00:00.123456789Z`
  void append_rfc3339(std::string& out, WallTime time);

  // `12:00:00.123` in the local time zone (TZ, else /etc/localtime), cut to the millisecond.
  void append_local_time(std::string& out, WallTime time);

 private:
  static constexpr std::int64_t no_second = std::numeric_limits<std::int64_t>::min();

  std::int64_t utc_second_ = no_second;
  std::int64_t local_second_ = no_second;
  std::string utc_;
  std::string local_;
};

}  // namespace bpftrap
