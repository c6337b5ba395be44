// SPDX-License-Identifier: GPL-2.0-only
// While it traces, bpftrap has no unneeded rights. The tests look from outside, and use a debugger
// to make bpftrap do forbidden system calls.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/guest.h"
#include "e2e/inject.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using SandboxTest = TracingTest;

std::string capabilities(std::uint64_t set) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(set));
  return text;
}

// Kernels before 5.19 require CAP_BPF for reading a map if unprivileged BPF is disabled
// (kernel/bpf/syscall.c __sys_bpf()). bpftrap then keeps it to count losses.
std::uint64_t kept_for_maps() {
  std::vector<std::string> setting = lines_of_file("/proc/sys/kernel/unprivileged_bpf_disabled");
  return kernel_is_older_than(5, 19) && !setting.empty() && setting.front() != "0"
             ? std::uint64_t{1} << CAP_BPF
             : 0;
}

void await_capabilities(pid_t pid, std::uint64_t wanted) {
  for (int i = 0; i < 10'000 && status_of(pid, "CapPrm") != capabilities(wanted); ++i) {
    sleep_for(1ms);
  }
  EXPECT_EQ(status_of(pid, "CapPrm"), capabilities(wanted));
  EXPECT_EQ(status_of(pid, "CapEff"), capabilities(wanted));
  EXPECT_EQ(status_of(pid, "CapInh"), capabilities(0));
  EXPECT_EQ(status_of(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(status_of(pid, "Seccomp"), "2");
}

// Expects that bpftrap cannot open a file, connect or execute, nor do the calls that would help.
void expect_confined(pid_t pid) {
  unsigned long path = inject_text(pid, "/proc/self/exe");
  auto at = static_cast<unsigned long>(AT_FDCWD);
  EXPECT_EQ(inject_call(pid, SYS_openat, {at, path, O_RDONLY}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_openat, {at, path, O_WRONLY | O_CREAT, 0600}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_socket, {AF_INET, SOCK_STREAM, 0}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_connect, {0, path, 16}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_execve, {path, 0, 0}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_execveat, {at, path, 0, 0, 0}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_clone, {SIGCHLD}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_ptrace, {0}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_kill, {1, SIGCONT}), -EPERM);
  EXPECT_EQ(inject_call(pid, SYS_bpf, {0 /* BPF_MAP_CREATE */, path, 0}), -EPERM);
}

TEST_F(SandboxTest, AThreadThatWritesIsConfinedToo) {
  ScratchDir directory;
  for (const char* command : {"exec", "record"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "-o", directory / command});
    std::string tasks = "/proc/" + std::to_string(bpftrap.pid()) + "/task";
    // While bpftrap starts, it has other threads.
    auto count_confined = [&] {
      int threads = 0;
      int confined = 0;
      for (const auto& task : std::filesystem::directory_iterator(tasks)) {
        pid_t tid = std::stoi(task.path().filename());
        ++threads;
        confined += status_of(tid, "Seccomp") == "2" && status_of(tid, "NoNewPrivs") == "1" &&
                            status_of(tid, "CapPrm") ==
                                capabilities(tid == bpftrap.pid() ? kept_for_maps() : 0)
                        ? 1
                        : 0;
      }
      return threads == confined ? threads : 0;
    };
    int threads = 0;
    for (int i = 0; i < 10'000 && threads < 2; ++i) {
      threads = count_confined();
      sleep_for(1ms);
    }
    EXPECT_GE(threads, 2);
    EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  }
}

TEST_F(SandboxTest, CannotOpenConnectOrExecuteAndStillDeliversDrainsAndStops) {
  for (const char* command : {"exec", "exit"}) {
    Bpftrap bpftrap({command, "--json", "--verbose"});
    bpftrap.await_start();
    EXPECT_EQ(status_of(bpftrap.pid(), "Seccomp"), "2")
        << "the sandbox must precede the line start";
    EXPECT_EQ(status_of(bpftrap.pid(), "NoNewPrivs"), "1");
    await_capabilities(bpftrap.pid(), kept_for_maps());
    expect_confined(bpftrap.pid());
    Ended process = run_workload({"nothing"});
    bpftrap.await([&] { return !bpftrap.records_of(process, "exit").empty(); });
    bpftrap.record_of(process, "exit");
    // More output than a pipe holds is pending when bpftrap is told to stop.
    Ended last;
    for (int i = 0; i < 200; ++i) {
      last = run_workload({"nothing"});
    }
    EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
    bpftrap.record_of(last, "exit");
    EXPECT_EQ(bpftrap.errors().find("sandbox:"), std::string::npos) << bpftrap.errors();
  }
}

TEST_F(SandboxTest, TablesAndHelloAreConfinedAsWell) {
  for (std::vector<std::string> args :
       {std::vector<std::string>{"exit"}, {"hello"}, {"hello", "--trace-pipe"}}) {
    args.insert(args.end(), {"--count", "1000000", "--timeout", "30"});
    Bpftrap bpftrap(args);
    try {
      bpftrap.await_start();
    } catch (const Failure&) {
      if (bpftrap.errors().find("another program reads it") != std::string::npos) {
        continue;  // not supported while another program reads the trace pipe
      }
      throw;
    }
    bool reads_maps = args.front() == "exit" || args[1] != "--trace-pipe";
    await_capabilities(bpftrap.pid(), reads_maps ? kept_for_maps() : 0);
    EXPECT_EQ(inject_call(bpftrap.pid(), SYS_socket, {AF_INET, SOCK_STREAM, 0}), -EPERM);
    EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
    EXPECT_EQ(bpftrap.errors(), "");
  }
}

TEST_F(SandboxTest, NoSandboxKeepsEverything) {
  Bpftrap bpftrap({"exec", "--json", "--no-sandbox"});
  bpftrap.await_start();
  EXPECT_EQ(status_of(bpftrap.pid(), "CapPrm"), status_of(::getpid(), "CapPrm"));
  EXPECT_EQ(status_of(bpftrap.pid(), "Seccomp"), status_of(::getpid(), "Seccomp"));
  EXPECT_EQ(status_of(bpftrap.pid(), "NoNewPrivs"), status_of(::getpid(), "NoNewPrivs"));
  EXPECT_EQ(bpftrap.stop(), 0);
}

// The first child of the process.
pid_t child_of(pid_t pid) {
  std::string id = std::to_string(pid);
  for (const std::string& line : lines_of_file("/proc/" + id + "/task/" + id + "/children")) {
    return static_cast<pid_t>(std::atoi(line.c_str()));
  }
  throw Failure("the process has no child");
}

TEST_F(SandboxTest, ProgramIsNotAffected) {
  Bpftrap bpftrap({"exec", "--json", "--", self_path(), "--workload", "sleep", "20000"});
  bpftrap.await([&] { return bpftrap.records().size() == 2; });
  pid_t program = child_of(bpftrap.pid());
  for (const char* name : {"CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp"}) {
    EXPECT_EQ(status_of(program, name), status_of(::getpid(), name)) << name;
  }
  std::uint64_t kill = ::geteuid() == 0 ? 1U << CAP_KILL : 0;
  await_capabilities(bpftrap.pid(), kill | kept_for_maps());
  expect_confined(bpftrap.pid());
  EXPECT_EQ(bpftrap.stop(SIGTERM), 128 + SIGTERM);
}

TEST_F(SandboxTest, SignalsReachAProgramOfAnotherUser) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can change the user of PROGRAM";
  }
  ScratchDir scratch;  // the other user may not be able to reach this test's own directory
  std::string path = scratch / "program";
  std::filesystem::copy_file(self_path(), path);
  ::chmod(path.c_str(), 0755);
  ::chmod(scratch.path().c_str(), 0755);
  Bpftrap bpftrap({"exit", "--json", "--", path, "--workload", "sleep", "20000"},
                  {.environment = {"SUDO_UID=54321", "SUDO_GID=54322", "SUDO_USER=e2e-nobody"}});
  bpftrap.await_start();
  pid_t program = child_of(bpftrap.pid());
  for (int i = 0; i < 10'000 && status_of(program, "Uid").rfind("54321\t", 0) != 0; ++i) {
    sleep_for(1ms);
  }
  await_capabilities(bpftrap.pid(), 1U << CAP_KILL | kept_for_maps());
  EXPECT_EQ(bpftrap.stop(SIGTERM), 128 + SIGTERM);
}

TEST_F(SandboxTest, LocalTimeIsThatOfTheTimeZone) {
  if (::access("/usr/share/zoneinfo/Asia/Kathmandu", R_OK) != 0) {
    GTEST_SKIP() << "no time zone database";
  }
  Bpftrap::Setup setup;
  setup.environment = {"TZ=Asia/Kathmandu"};
  Outcome outcome = run_bpftrap({"hello", "--count", "1", "--no-header"}, setup);
  time_t now = ::time(nullptr) + (5 * 60 + 45) * 60;
  tm time{};
  ::gmtime_r(&now, &time);
  char text[16];
  std::strftime(text, sizeof text, "%H:", &time);
  EXPECT_EQ(outcome.output.substr(0, 3), text);
}

}  // namespace
}  // namespace e2e
