// SPDX-License-Identifier: GPL-2.0-only
// Processes that get signals, and processes that send them.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"

namespace e2e {

// A process that prepares, waits for resume(), and goes on.
class Victim {
 public:
  // Returns when `prepare` has returned in the process. The result of `go_on` is its exit code.
  Victim(const std::function<void()>& prepare, const std::function<int()>& go_on);

  pid_t pid() const { return child_.pid(); }
  void resume() { gate_.open(); }
  Ended wait() { return child_.wait(); }

 private:
  SharedWords words_;
  Gate gate_;
  Child child_;
};

// Tests that run twice: with task storage, and with the map that all receivers of signals share.
// The map is the only one before 5.12, and with --btf.
class SenderMemoryTest : public TracingTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override;
  // The command that traces.
  static std::vector<std::string> command();
};

#define INSTANTIATE_SENDER_MEMORY_TEST(suite)                     \
  INSTANTIATE_TEST_SUITE_P(                                       \
      Memory, suite, testing::Values("TaskStorage", "SharedMap"), \
      [](const testing::TestParamInfo<const char*>& info) { return std::string(info.param); })

int pause_for_long();

// Sets the disposition for the calling process, with SIG_DFL, SIG_IGN or a function.
void set_handler(int signal, void (*handler)(int));
void block_all_signals();
void unblock_all_signals();

// Starts a function with the smallest stack in a thread. Ends the process if that fails.
void start_thread(void* (*run)(void*), void* argument = nullptr);

// A process of this name that sends something and has ended.
Ended sender(const std::string& name, const std::function<void()>& send);
Ended kill_from(const std::string& name, pid_t pid, int signal);

// rt_sigqueueinfo() with a siginfo that claims to come from process `claimed`.
void send_forged(pid_t pid, int signal, int code, pid_t claimed, int value = 0);

// The only exit record of a process that the test did not start itself. Throws Failure.
Record exit_of(const Bpftrap& bpftrap, std::uint64_t pid);

// A process that died of a signal, and the process that sent it.
struct Death {
  int signal;
  Ended victim;
  Ended killer;
};

// Stops bpftrap. The record of each victim names its killer, which has this name.
void expect_deaths(Bpftrap& bpftrap, const std::vector<Death>& deaths, const std::string& name);
// Lets the victim go on and die. See above.
void expect_death(Bpftrap& bpftrap, Victim& victim, int signal, const Ended& killer,
                  const std::string& name);

// The record of the victim names this sender; the sender's own record has the same id.
void expect_killer(const Bpftrap& bpftrap, const Ended& victim, const Ended& killer,
                   const std::string& name);
void expect_killer(const Bpftrap& bpftrap, const Record& exit, const Ended& killer,
                   const std::string& name);
void expect_no_killer(const Bpftrap& bpftrap, const Ended& victim);
void expect_last_signal(const Bpftrap& bpftrap, const Ended& victim, const std::string& signal,
                        const Ended& from, const std::string& name);
void expect_no_last_signal(const Bpftrap& bpftrap, const Ended& victim);

}  // namespace e2e
