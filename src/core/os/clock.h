// SPDX-License-Identifier: GPL-2.0-only
// Time: the kernel stamps events with CLOCK_BOOTTIME (bpf_ktime_get_boot_ns), and people read wall
// clocks. Decoding yields BootTime; sinks print WallTime.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

namespace bpftrap {

// CLOCK_BOOTTIME as the kernel itself counts it, suspend included. In a time namespace
// clock_gettime() adds the namespace's offset and BPF helpers do not. now() subtracts it, and so
// compares with events.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;

  static time_point now();
  // The offset that clock_gettime() adds to CLOCK_BOOTTIME in this time namespace.
  static duration namespace_offset();
};

using BootTime = BootClock::time_point;

// The offset of CLOCK_BOOTTIME in this time namespace, from the text of /proc/self/timens_offsets.
// 0 if the text has none.
std::chrono::nanoseconds boottime_namespace_offset(std::string_view timens_offsets);

// Nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME): 1677 to 2262.
struct WallTime {
  std::int64_t ns;

  friend bool operator==(WallTime, WallTime) = default;
};

// The clocks that a WallClock reads; tests supply their own.
struct TimeSources {
  std::function<BootTime()> now_boot;
  std::function<WallTime()> now_real;

  static TimeSources system();
};

// Converts a boot time to the wall clock of that moment.
//
// CLOCK_REALTIME and CLOCK_BOOTTIME both are the kernel's monotonic base plus an offset
// (kernel/time/timekeeping.c: offs_real, offs_boot). NTP slews that base, and a suspend adds the
// same to both. Their difference changes only when somebody sets the clock (do_settimeofday64(),
// timekeeping_inject_offset(), leap seconds). It is measured once, and replaced only if a new
// measurement contradicts it.
class WallClock {
 public:
  explicit WallClock(TimeSources sources = TimeSources::system());

  // Measures again. Call it each second, and when the kernel reports a step
  // (TFD_TIMER_CANCEL_ON_SET). Returns whether the wall clock was set since the last call.
  bool reanchor();

  // Events from before the last step that reanchor() found keep the offset of their time. The exact
  // time of the step is unknown; the call that found it counts as its time.
  WallTime to_wall(BootTime time) const;

  WallTime now() const { return to_wall(sources_.now_boot()); }

  // The difference of both clocks, and since when it is known.
  BootTime anchored_since() const { return current_.since; }
  std::int64_t offset_ns() const { return current_.offset; }

  // A clock that runs as recorded: before the first continue_with() it knows no time.
  static WallClock recorded();
  // The same boot: from `since` on, the difference is this one.
  void continue_with(BootTime since, std::int64_t offset_ns);
  // Another boot.
  void restart_with(std::int64_t offset_ns);

 private:
  // The difference, between the bounds that two readings of one clock around one of the other give.
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

// Writes wall times. Keeps the text of the last second, because consecutive events mostly share it
// and then only the fraction changes. One per sink; not thread-safe.
class TimestampFormatter {
 public:
  enum class Zone { local, utc };
  // `dates`: append_time_of_day() puts the date before the time.
  explicit TimestampFormatter(Zone zone = Zone::local, bool dates = false)
      : zone_(zone), dates_(dates) {}

  // `2026-01-31T12:00:00.123456789Z`
  void append_rfc3339(std::string& out, WallTime time);

  // `12:00:00.123` in the local time zone (TZ, else /etc/localtime) or in UTC, cut to the
  // millisecond. With dates: `2026-01-31 12:00:00.123`.
  void append_time_of_day(std::string& out, WallTime time);

 private:
  static constexpr std::int64_t no_second = std::numeric_limits<std::int64_t>::min();

  Zone zone_;
  bool dates_;
  std::int64_t utc_second_ = no_second;
  std::int64_t local_second_ = no_second;
  std::string utc_;
  std::string local_;
};

}  // namespace bpftrap
