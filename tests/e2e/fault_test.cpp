// SPDX-License-Identifier: GPL-2.0-only
// Faults around bpftrap: killed, stopped, debugged, short of memory or buffer space, many
// instances. stream_end_test.cpp and output_file_test.cpp test outputs that fail. storm_test.cpp
// tests overflows and stalled readers.
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/failure.h"
#include "e2e/guest.h"
#include "e2e/storm.h"
#include "e2e/tiny_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

class FaultTest : public TinyProgramTest {
 protected:
  // Counts of the records of the storm's user, and of the losses.
  struct Count {
    std::uint64_t execs = 0;
    std::uint64_t exits = 0;
    std::uint64_t lost = 0;
  };
  static Count count(const Bpftrap& bpftrap) {
    Count count;
    for (const Record& record : bpftrap.records()) {
      std::string kind = record.kind();
      count.execs += kind == "exec" ? 1 : 0;
      count.exits += kind == "exit" ? 1 : 0;
      count.lost += kind == "lost" ? record.number("count") : 0;
    }
    return count;
  }

  // Runs the tiny program as the storm's user.
  Ended run_tiny(const Words& more = {}) const {
    return Child([&] {
             ::syscall(SYS_setuid, storm_uid);
             Words argv{tiny_};
             argv.insert(argv.end(), more.begin(), more.end());
             return exec_argv(tiny_, argv);
           })
        .wait();
  }
};

// A BPF object of a process: its id, and the bpf() command that finds it.
struct Object {
  bpf_cmd find;
  std::uint32_t id;
};

std::vector<Object> bpf_objects(pid_t pid) {
  std::vector<Object> objects;
  std::error_code gone;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo", gone)) {
    for (const std::string& line : lines_of_file(entry.path())) {
      auto add = [&](const std::string& key, bpf_cmd find) {
        if (line.rfind(key + ":\t", 0) == 0) {
          objects.push_back(
              {find, static_cast<std::uint32_t>(std::atoi(line.c_str() + key.size() + 2))});
        }
      };
      add("prog_id", BPF_PROG_GET_FD_BY_ID);
      add("map_id", BPF_MAP_GET_FD_BY_ID);
      add("link_id", BPF_LINK_GET_FD_BY_ID);
    }
  }
  return objects;
}

bool exists(const Object& object) {
  bpf_attr attributes{};
  attributes.prog_id = object.id;  // all ids share this place in the union
  long fd = ::syscall(SYS_bpf, object.find, &attributes, sizeof attributes);
  if (fd >= 0) {
    ::close(static_cast<int>(fd));
  }
  return fd >= 0 || errno != ENOENT;
}

TEST_F(FaultTest, NothingIsLeftInTheKernelHoweverItEnds) {
  for (const char* command : {"exec", "exit", "hello"}) {
    for (int signal : {SIGKILL, SIGTERM}) {
      SCOPED_TRACE(std::string(command) + " ended by " + std::to_string(signal));
      Bpftrap bpftrap({command});
      bpftrap.await_start();
      std::vector<Object> objects = bpf_objects(bpftrap.pid());
      int programs = 0, maps = 0;
      for (const Object& object : objects) {
        programs += object.find == BPF_PROG_GET_FD_BY_ID ? 1 : 0;
        maps += object.find == BPF_MAP_GET_FD_BY_ID ? 1 : 0;
        EXPECT_TRUE(exists(object)) << "the test does not find an existing object";
      }
      EXPECT_GT(programs, 0);
      EXPECT_GT(maps, 0);
      EXPECT_EQ(bpftrap.stop(signal), signal == SIGKILL ? 128 + SIGKILL : 0);
      // The kernel frees the objects only when no program can be using them any more.
      std::uint64_t deadline =
          boot_ns_now() + static_cast<std::uint64_t>(std::chrono::nanoseconds(patience).count());
      for (const Object& object : objects) {
        while (exists(object) && boot_ns_now() < deadline) {
          sleep_for(2ms);
        }
        EXPECT_FALSE(exists(object)) << "id " << object.id << " of kind " << object.find;
      }
    }
  }
}

TEST_F(FaultTest, StoppedForSecondsItTellsWhatWasThenWithTheTimeOfThen) {
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user});
  bpftrap.await_start();
  ::kill(bpftrap.pid(), SIGSTOP);
  std::vector<Ended> processes;
  std::vector<std::uint64_t> wall;  // times after each run
  for (int i = 0; i < 5; ++i) {
    processes.push_back(run_tiny());
    wall.push_back(wall_ns_now());
    sleep_for(500ms);
  }
  ::kill(bpftrap.pid(), SIGCONT);
  bpftrap.await([&] { return bpftrap.records().size() == 11; });
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < processes.size(); ++i) {
    for (const char* kind : {"exec", "exit"}) {
      Record record = bpftrap.record_of(processes[i], kind);
      EXPECT_LE(record.number("boot_ns"), processes[i].after_end);
      EXPECT_LE(wall_ns_of(record), wall[i] + 1'000'000);
    }
  }
}

TEST_F(FaultTest, ReaderThatGoesAwayWhileMuchWaits) {
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user});
  bpftrap.await_start();
  make_storm(500, tiny_);  // many more than a pipe holds
  bpftrap.close_reader();
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.errors(), "");
}

TEST_F(FaultTest, WorksInACgroupOf32MiB) {
  std::unique_ptr<Group> group = limited_group("/bpftrap-e2e-" + std::to_string(::getpid()));
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user},
                  {.before_exec = [&] { group->enter(); }});
  bpftrap.await_start();
  make_storm(2000, tiny_);
  bpftrap.await([&] { return bpftrap.records().size() == 4001; });
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
}

TEST_F(FaultTest, InACgroupOf32MiBWhatASlowReaderLeavesIsLostAndCounted) {
  std::unique_ptr<Group> group = limited_group("/bpftrap-e2e-" + std::to_string(::getpid()));
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user},
                  {.before_exec = [&] { group->enter(); }, .may_lose = true});
  bpftrap.await_start();
  // About 40 MB of JSON. The 8 MiB of the ring buffer cannot hold the rest.
  const Words argument{std::string(30'000, 'x')};
  constexpr std::uint64_t processes = 650;
  for (std::uint64_t i = 0; i < processes; ++i) {
    run_tiny(argument);
  }
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  Count all = count(bpftrap);
  EXPECT_EQ(all.execs + all.exits + all.lost, 2 * processes);
  EXPECT_GT(all.lost, 0U) << "the test must make bpftrap lose records";
}

TEST_F(FaultTest, InACgroupOf32MiBCommandLinesBeyondTheBoundAreNullAtTheEnd) {
  std::unique_ptr<Group> group = limited_group("/bpftrap-e2e-" + std::to_string(::getpid()));
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap bpftrap({"exec", "--json", "--tree", std::to_string(::getpid())},
                  {.before_exec = [&] { group->enter(); }});
  bpftrap.await_start();
  // Long command lines may take 2 MiB: half of an eighth of the limit.
  constexpr std::size_t large = 100, small = 20, within = 60, beyond = 70;
  std::vector<Child> children;
  for (std::size_t i = 0; i < large + small; ++i) {
    Words argv{std::to_string(i), std::string(i < large ? 30'000 : 10, 'x')};
    children.emplace_back([&] { return exec_argv(self_path(), argv, "pause"); });
    bpftrap.await([&] { return bpftrap.records().size() == i + 2; });
  }
  std::vector<Ended> processes;
  for (Child& child : children) {
    child.kill(SIGTERM);
    processes.push_back(child.wait());
    bpftrap.await([&] { return bpftrap.records_of(processes.back()).size() == 2; });
  }
  // After room was freed, a long command line is kept.
  Child last([&] { return exec_argv(self_path(), {"last", std::string(30'000, 'x')}); });
  processes.push_back(last.wait());
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  for (std::size_t i = 0; i < processes.size(); ++i) {
    SCOPED_TRACE(i);
    Record exec = bpftrap.record_of(processes[i], "exec");
    Record exit = bpftrap.record_of(processes[i], "exit");
    if (exit.is_null("args")) {
      EXPECT_TRUE(exit.is_null("filename"));
      EXPECT_TRUE(i >= within && i < large);
    } else {
      EXPECT_EQ(exit.strings("args"), exec.strings("args"));
      EXPECT_TRUE(i < beyond || i >= large);
    }
  }
  std::string errors = bpftrap.errors();
  EXPECT_EQ(errors.find("bpftrap: no room for the command lines of more than "), 0U) << errors;
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
}

TEST_F(FaultTest, RingBufferOfOnePageCountsWhatDoesNotFit) {
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--buffer-size", "8K"},
                  {.may_lose = true});
  bpftrap.await_start();
  constexpr std::uint64_t large = 10, small = 300;
  const Words argument{std::string(20'000, 'x')};  // longer than a page, so it never fits
  std::vector<Ended> processes;
  for (std::uint64_t i = 0; i < large; ++i) {
    processes.push_back(run_tiny(argument));
  }
  make_storm(small, tiny_);
  // After room was freed, every record is delivered.
  bpftrap.await([&] {
    Count all = count(bpftrap);
    return all.execs + all.exits + all.lost == 2 * (large + small);
  });
  Ended last = run_tiny();
  bpftrap.await([&] { return bpftrap.records_of(last).size() == 2; });
  EXPECT_EQ(bpftrap.stop(), 0);
  Count all = count(bpftrap);
  EXPECT_EQ(all.execs + all.exits + all.lost, 2 * (large + small + 1));
  EXPECT_GE(all.lost, large);
  for (const Ended& process : processes) {
    EXPECT_EQ(bpftrap.records_of(process, "exec").size(), 0U);
    for (const Record& exit : bpftrap.records_of(process, "exit")) {
      EXPECT_TRUE(exit.is_null("args")) << "the exec record was lost";
    }
  }
}

TEST_F(FaultTest, ManyAtOnceSeeEachProcessOnce) {
  const std::size_t many = in_guest() ? 8 : 64;  // loading one takes seconds in an emulated guest
  std::vector<std::unique_ptr<Bpftrap>> bpftraps;
  for (std::size_t i = 0; i < many; ++i) {
    bpftraps.push_back(std::make_unique<Bpftrap>(Words{"exec", "--json", "--user", storm_user}));
  }
  for (auto& bpftrap : bpftraps) {
    bpftrap->await_start();
  }
  Ended process = run_tiny();
  for (auto& bpftrap : bpftraps) {
    EXPECT_EQ(bpftrap->stop(), 0);
    EXPECT_EQ(bpftrap->records_of(process, "exec").size(), 1U);
    EXPECT_EQ(bpftrap->records_of(process, "exit").size(), 1U);
    EXPECT_EQ(bpftrap->records().size(), 4U);
  }
}

// Like `strace -f -p`: stops the process and its children at each system call.
int trace_calls(pid_t pid, SharedWords& stops) {
  constexpr long options =
      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
  if (::ptrace(PTRACE_SEIZE, pid, 0, options) != 0) {
    return 1;
  }
  ::ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  stops[0] = 1;
  for (int status = 0; (pid = ::waitpid(-1, &status, __WALL)) > 0;) {
    if (!WIFSTOPPED(status)) {
      continue;
    }
    int signal = WSTOPSIG(status);
    bool own = status >> 16 != 0 || signal == (SIGTRAP | 0x80);
    stops[0] = stops[0] + (signal == (SIGTRAP | 0x80) ? 1 : 0);
    ::ptrace(PTRACE_SYSCALL, pid, 0, own ? 0 : signal);
  }
  return 0;
}

TEST_F(FaultTest, DebuggedFromStartToEnd) {
  Gate gate;
  SharedWords stops;
  Bpftrap bpftrap({"exec", "--json", "--", self_path(), "--workload", "start", "exit", "3"},
                  {.before_exec = [&] { gate.wait(); }});
  Child tracer([&] {
    gate.open();  // this process's end of the gate
    return trace_calls(bpftrap.pid(), stops);
  });
  while (stops[0] == 0) {
    sleep_for(1ms);
  }
  gate.open();
  EXPECT_EQ(bpftrap.wait(), 3) << bpftrap.errors();
  EXPECT_EQ(bpftrap.records().back().number("records"), 4U);
  EXPECT_GT(stops[0], 100U) << "it was not debugged";
}

TEST_F(FaultTest, DebuggedForAWhile) {
  SharedWords stops;
  Bpftrap bpftrap({"exit", "--json", "--user", storm_user});
  bpftrap.await_start();
  std::vector<Ended> processes;
  {
    Child tracer([&] { return trace_calls(bpftrap.pid(), stops); });
    while (stops[0] == 0) {
      sleep_for(1ms);
    }
    for (std::uint64_t begin = boot_ns_now(); boot_ns_now() < begin + 1'000'000'000;) {
      processes.push_back(run_tiny());
      bpftrap.await([&] { return bpftrap.records().size() == processes.size() + 1; });
    }
  }
  EXPECT_GT(stops[0], 20U) << "it was not debugged";
  processes.push_back(run_tiny());
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : processes) {
    bpftrap.record_of(process, "exit");
  }
}

TEST_F(FaultTest, StandardInputOrErrorClosedChangesNothing) {
  for (const std::vector<int>& closed : {std::vector<int>{0}, {2}, {0, 2}}) {
    Bpftrap::Setup setup;
    setup.before_exec = [&] {
      for (int fd : closed) {
        ::close(fd);
      }
    };
    Bpftrap bpftrap({"exec", "--json", "--verbose", "--user", storm_user}, setup);
    bpftrap.await_start();
    Ended process = run_tiny();
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.records_of(process).size(), 2U);
  }
}

TEST_F(FaultTest, NobodyReadsItsMessages) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  ::close(pipe[0]);
  Bpftrap::Setup setup;
  setup.before_exec = [&] { ::dup2(pipe[1], STDERR_FILENO); };
  Bpftrap bpftrap({"exec", "--json", "--verbose", "--user", storm_user}, setup);
  ::close(pipe[1]);
  bpftrap.await_start();
  Ended process = run_tiny();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(process).size(), 2U);
}

}  // namespace
}  // namespace e2e
