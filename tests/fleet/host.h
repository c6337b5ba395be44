// SPDX-License-Identifier: GPL-2.0-only
// A simulated machine: records of processes that never ran, in the form in which the BPF programs
// would submit them. They are written as a recording, so that the real `bpftrap show` makes the
// JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/process.event.h"

namespace bpftrap::fleet {

// Nanoseconds of CLOCK_REALTIME, and lengths of time.
using Time = std::int64_t;
inline constexpr Time ms = 1'000'000;
inline constexpr Time second = 1000 * ms;
inline constexpr Time minute = 60 * second;
inline constexpr Time hour = 60 * minute;
inline constexpr Time day = 24 * hour;

// The same numbers for the same seed, on each machine and with each standard library (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  // 0 to limit - 1
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

// A process, by the three facts by which other records refer to it.
struct Process {
  std::uint32_t pid = 0;
  Time start = 0;
  std::string comm = {};
};

// Facts that a child inherits.
struct Surroundings {
  std::string cgroup = "/init.scope";  // path
  std::uint32_t uid = 0;
  std::uint32_t login_uid = BPFTRAP_ID_UNSET;
  std::uint32_t session = BPFTRAP_ID_UNSET;
  std::string tty = {};
};

struct Command {
  std::string exe;  // its last part is the name of the process
  std::vector<std::string> args;
  std::string interp = {};       // of a script, whose path is `filename`
  std::string filename = {};     // empty: exe
  std::uint64_t in_socket = 0;   // inode of standard input; 0: /dev/null
  bool gets_privileges = false;  // set-user-ID root
  int error = 0;                 // of a failed exec
};

struct End {
  int wait_status = 0;  // as wait4() returns it
  Time cpu = 2 * ms;
  Process killer = {};
  bool out_of_memory = false;
  std::uint64_t memory_pages = 800;
  Process last_sender = {};
  int last_signal = 0;
};

// One boot of a machine.
class Host {
 public:
  Host(std::string name, std::uint64_t seed, Time boot);

  Random& random() { return random_; }

  // systemd, and another process that lives all the time. There is no record of them.
  Process init() const { return {1, boot_ + 10 * ms, "systemd"}; }
  Process resident(std::string comm);

  Process fork(Time time, const Process& parent, const Surroundings& around);
  // Names the process after the program.
  void exec(Time time, Process& process, const Process& parent, const Surroundings& around,
            const Command& command);
  void end(Time time, const Process& process, const Process& parent, const Surroundings& around,
           const End& end = {});
  // Fork, exec and end.
  Process run(Time time, Time duration, const Process& parent, const Surroundings& around,
              const Command& command, const End& end = {});
  void lose(Time time, std::uint64_t records);

  // Without those of losses.
  std::size_t records() const { return events_.size() - losses_; }
  // The recording of everything before `until`; nothing can be added later.
  std::string recording(Time until);

 private:
  bpftrap_process identity(const Process& process, const Process& parent,
                           const Surroundings& around);
  bpftrap_record_header header(std::uint8_t kind, std::size_t fixed, std::size_t data, Time time);
  std::uint64_t boot_ns(Time time) const { return static_cast<std::uint64_t>(time - boot_); }
  std::uint64_t cgroup(const std::string& path);
  void add(Time time, std::string record) { events_.emplace_back(time, std::move(record)); }

  std::string name_;
  Random random_;
  Time boot_;
  std::uint32_t last_pid_ = 300;
  std::size_t losses_ = 0;
  std::uint64_t lost_ = 0;
  std::map<std::string, std::uint64_t> cgroups_;  // path → id
  std::vector<std::pair<Time, std::string>> events_;
};

}  // namespace bpftrap::fleet
