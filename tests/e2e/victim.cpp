// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/victim.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e/failure.h"

namespace e2e {

using namespace std::chrono_literals;

Victim::Victim(const std::function<void()>& prepare, const std::function<int()>& go_on)
    : child_([&] {
        prepare();
        words_[0] = 1;
        gate_.wait();
        return go_on();
      }) {
  while (words_[0] == 0) {
    sleep_for(1ms);
  }
}

constexpr const char* kernel_btf = "/sys/kernel/btf/vmlinux";

void SenderMemoryTest::SetUp() {
  TracingTest::SetUp();
  if (!IsSkipped() && ::access(kernel_btf, R_OK) != 0) {
    GTEST_SKIP() << "this kernel has no " << kernel_btf;
  }
}

std::vector<std::string> SenderMemoryTest::command() {
  std::vector<std::string> words{"exit", "--json"};
  if (GetParam() == std::string("SharedMap")) {
    words.insert(words.end(), {"--btf", kernel_btf});
  }
  return words;
}

int pause_for_long() {
  sleep_for(patience);
  return 0;
}

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

void block_all_signals() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
}

void unblock_all_signals() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

void start_thread(void* (*run)(void*), void* argument) {
  pthread_t thread{};
  pthread_attr_t small{};
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, 64 << 10);
  if (::pthread_create(&thread, &small, run, argument) != 0) {
    ::_exit(126);
  }
  ::pthread_attr_destroy(&small);
}

Ended sender(const std::string& name, const std::function<void()>& send) {
  return Child([&] {
           ::prctl(PR_SET_NAME, name.c_str());
           send();
           return 0;
         })
      .wait();
}

Ended kill_from(const std::string& name, pid_t pid, int signal) {
  return sender(name, [=] { ::kill(pid, signal); });
}

void send_forged(pid_t pid, int signal, int code, pid_t claimed, int value) {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = code;
  info.si_pid = claimed;
  info.si_value.sival_int = value;
  if (::syscall(SYS_rt_sigqueueinfo, pid, signal, &info) != 0) {
    ::_exit(126);
  }
}

Record exit_of(const Bpftrap& bpftrap, std::uint64_t pid) {
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "exit" && record.number("pid") == pid) {
      return record;
    }
  }
  throw Failure("no exit record of process " + std::to_string(pid));
}

void expect_deaths(Bpftrap& bpftrap, const std::vector<Death>& deaths, const std::string& name) {
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < deaths.size(); ++i) {
    SCOPED_TRACE("victim " + std::to_string(i));
    EXPECT_EQ(WTERMSIG(deaths[i].victim.status), deaths[i].signal);
    expect_killer(bpftrap, deaths[i].victim, deaths[i].killer, name);
  }
}

void expect_death(Bpftrap& bpftrap, Victim& victim, int signal, const Ended& killer,
                  const std::string& name) {
  victim.resume();
  expect_deaths(bpftrap, {{signal, victim.wait(), killer}}, name);
}

void expect_killer(const Bpftrap& bpftrap, const Ended& victim, const Ended& killer,
                   const std::string& name) {
  expect_killer(bpftrap, bpftrap.record_of(victim, "exit"), killer, name);
}

void expect_killer(const Bpftrap& bpftrap, const Record& exit, const Ended& killer,
                   const std::string& name) {
  EXPECT_EQ(exit.maybe_number("killer_pid"), static_cast<std::uint64_t>(killer.pid));
  EXPECT_EQ(exit.maybe_text("killer_comm"), name);
  EXPECT_EQ(exit.maybe_text("killer_id"), bpftrap.record_of(killer, "exit").text("id"));
}

void expect_no_killer(const Bpftrap& bpftrap, const Ended& victim) {
  Record exit = bpftrap.record_of(victim, "exit");
  for (const char* key : {"killer_pid", "killer_comm", "killer_id"}) {
    EXPECT_TRUE(exit.is_null(key)) << key;
  }
}

void expect_last_signal(const Bpftrap& bpftrap, const Ended& victim, const std::string& signal,
                        const Ended& from, const std::string& name) {
  Record exit = bpftrap.record_of(victim, "exit");
  EXPECT_EQ(exit.maybe_text("last_signal"), signal);
  EXPECT_EQ(exit.maybe_number("last_signal_pid"), static_cast<std::uint64_t>(from.pid));
  EXPECT_EQ(exit.maybe_text("last_signal_comm"), name);
  EXPECT_EQ(exit.maybe_text("last_signal_id"), bpftrap.record_of(from, "exit").text("id"));
  // Sent while the sender lived: between its fork and the moment at which its end was seen.
  std::uint64_t sent = exit.number("boot_ns") - exit.number("last_signal_age_ns");
  EXPECT_GE(sent, from.before_fork);
  EXPECT_LE(sent, from.after_end);
}

void expect_no_last_signal(const Bpftrap& bpftrap, const Ended& victim) {
  Record exit = bpftrap.record_of(victim, "exit");
  for (const char* key : {"last_signal", "last_signal_pid", "last_signal_comm", "last_signal_id",
                          "last_signal_age_ns"}) {
    EXPECT_TRUE(exit.is_null(key)) << key;
  }
}

}  // namespace e2e
