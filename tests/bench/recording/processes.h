// SPDX-License-Identifier: GPL-2.0-only
// Records of processes that never ran. One process in ten is a shell that executes the other nine
// one after the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/recording/recorded.h"

namespace bpftrap {

class MadeUpProcesses {
 public:
  static constexpr std::uint64_t begin_ns = 2'000'000'000;
  static constexpr std::uint64_t records_each = 3;  // fork, exec, end

  // `step_ns`: between the starts of two processes. `noise`: bytes of each command line that no
  // compression makes smaller than a half. `add` takes each record.
  MadeUpProcesses(std::uint64_t step_ns, std::size_t noise,
                  std::function<void(std::string_view)> add)
      : step_ns_(step_ns), noise_(noise), add_(std::move(add)) {}

  // Starts `make`, the parent of all shells.
  void begin();
  // The next process, up to its end if it is no shell.
  void run_next();
  // Ends the last shell, and `make`.
  void end();

  // Passes the records of those that live on, for the beginning of a segment.
  void add_state(const std::function<void(std::string_view)>& add) const;

  BootTime now() const { return BootTime(std::chrono::nanoseconds(now_)); }
  std::uint64_t records() const { return records_; }

 private:
  static Pid pid_of(Pid number) { return 1000 + number % 4'000'000; }
  std::uint64_t start_of(Pid number) const { return begin_ns + number * step_ns_; }

  std::string hex_noise();
  void add(std::string_view record);
  template <class Wire>
  void name(Wire& event, Pid number) const;
  void fork(Pid number, Pid parent, std::uint64_t parent_start);
  void execute(Pid number, std::string_view args);
  void finish(Pid number, Pid parent);

  std::uint64_t step_ns_;
  std::size_t noise_;
  std::uint64_t random_ = 1;
  std::function<void(std::string_view)> add_;
  std::uint64_t now_ = begin_ns;
  std::uint64_t records_ = 0;
  Pid next_ = 1;
  Pid shell_ = 0;
  Pid parent_pid_ = 0;
  std::uint64_t parent_start_ = 0;
  std::string make_exec_;  // the record
  std::string shell_exec_;
};

}  // namespace bpftrap
