// SPDX-License-Identifier: GPL-2.0-only
// Processes that tests start, and what the kernel reports about them. The tests compare records
// with that.
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

// Maximum time of each step of a test; after that it counts as hung. The default is a minute, which
// is enough on a busy machine. BPFTRAP_TEST_PATIENCE sets other seconds, for an emulated machine.
extern const std::chrono::seconds patience;

std::uint64_t boot_ns_now();  // CLOCK_BOOTTIME
std::uint64_t wall_ns_now();  // CLOCK_REALTIME

// Field 22 of /proc/PID/stat: start time, CLOCK_BOOTTIME in units of 1/USER_HZ seconds.
std::uint64_t start_ticks(pid_t pid);
std::uint64_t to_ticks(std::uint64_t boot_ns);

// The value of a line of /proc/PID/status, such as "Uid". "" if there is none.
std::string status_of(pid_t pid, const std::string& name);

// This test binary.
const std::string& self_path();

// A process that has ended.
struct Ended {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  int status = 0;  // as from wait4()
  rusage usage{};
  // CLOCK_BOOTTIME before fork(), after fork(), and when the end was seen.
  std::uint64_t before_fork = 0;
  std::uint64_t after_fork = 0;
  std::uint64_t after_end = 0;
};

// A child process. It is killed when this object or the test ends, if not before.
class Child {
 public:
  // Runs `body` in a copy of the test. The result of `body` is the exit code.
  explicit Child(const std::function<int()>& body);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), ended_(other.ended_) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return ended_.pid; }
  void kill(int signal) const;
  // Waits for the end. Throws Failure after `patience`.
  Ended wait();

 private:
  pid_t pid_ = 0;  // 0: waited for
  Ended ended_;
};

// Executes this binary as a workload (workloads.h), by its name and arguments. For the body of a
// Child. Returns 127, and only if it fails.
int exec_self(const std::vector<std::string>& workload);
// The same with any argv. A non-empty `workload` is named in the environment instead of in argv.
int exec_argv(const std::string& path, const std::vector<std::string>& argv,
              const std::string& workload = "nothing");
// argv and an environment that names the workload, for other ways to execute.
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

// Starts a workload and waits for its end.
Ended run_workload(const std::vector<std::string>& workload);

// Holds processes until the test releases them. It must exist before fork().
class Gate {
 public:
  Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  void wait();  // in the child; also returns if the test ends
  void open();  // in the test; releases all waiting processes

 private:
  int fds_[2];
};

// An array, initially zero, that a test shares with the processes that it forks.
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

// A temporary directory. It is removed with its contents.
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
