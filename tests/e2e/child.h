// SPDX-License-Identifier: GPL-2.0-only
// Processes that tests start, and what the kernel itself says about them: the oracle that records
// are compared with.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace e2e {

// No step of a test takes longer, on however busy a machine: a hang is a failure. A minute, or as
// many seconds as BPFTRAP_TEST_PATIENCE says, for an emulated machine.
extern const std::chrono::seconds patience;

std::uint64_t boot_ns_now();  // CLOCK_BOOTTIME
std::uint64_t wall_ns_now();  // CLOCK_REALTIME

// Field 22 of /proc/PID/stat: when it started, CLOCK_BOOTTIME in units of 1/USER_HZ seconds.
std::uint64_t start_ticks(pid_t pid);
std::uint64_t to_ticks(std::uint64_t boot_ns);

// This test binary.
const std::string& self_path();

// A process that has ended.
struct Ended {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  int status = 0;  // as wait4() gives it
  rusage usage{};
  // CLOCK_BOOTTIME: fork() was called, had returned, the end was seen.
  std::uint64_t before_fork = 0;
  std::uint64_t after_fork = 0;
  std::uint64_t after_end = 0;
};

// A child process that is killed, at the latest, when this object or the test goes away.
class Child {
 public:
  // Runs `body` in a copy of the test; what it returns is the exit code.
  explicit Child(const std::function<int()>& body);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), ended_(other.ended_) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return ended_.pid; }
  void kill(int signal) const;
  // Waits until it has ended. Throws Failure if that takes longer than `patience`.
  Ended wait();

 private:
  pid_t pid_ = 0;  // 0: waited for
  Ended ended_;
};

// Executes this binary anew, as a workload (workloads.h) by its name, with arguments. For a Child's
// body; returns only if that fails, with 127.
int exec_self(const std::vector<std::string>& workload);
// The same with an argv of one's own. Only where `workload` is not empty it is named in the
// environment instead of in argv.
int exec_argv(const std::string& path, const std::vector<std::string>& argv,
              const std::string& workload = "nothing");
// argv, and an environment that names the workload, for other ways to execute.
class ExecStrings {
 public:
  explicit ExecStrings(std::vector<std::string> argv, const std::string& workload = "nothing");
  char* const* argv() { return argv_.data(); }
  char* const* envp() { return envp_.data(); }

 private:
  std::vector<std::string> strings_;
  std::string variable_;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
};

// Starts a workload, waits for it.
Ended run_workload(const std::vector<std::string>& workload);

// Holds processes back until the test lets them go. Both sides have it before fork().
class Gate {
 public:
  Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  void wait();  // in the child; returns also if the test goes away
  void open();  // in the test; for every process that waits

 private:
  int fds_[2];
};

// An array of zeroes that a test shares with processes that it forks.
class SharedWords {
 public:
  SharedWords();
  SharedWords(const SharedWords&) = delete;
  SharedWords& operator=(const SharedWords&) = delete;
  ~SharedWords();

  volatile std::uint64_t& operator[](std::size_t index) { return words_[index]; }

 private:
  volatile std::uint64_t* words_;
};

// A directory of the test's own, removed with all that is in it.
class ScratchDir {
 public:
  ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir();

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::vector<std::string> lines_of_file(const std::string& path);

void sleep_for(std::chrono::nanoseconds time);

}  // namespace e2e
