// SPDX-License-Identifier: GPL-2.0-only
// Processes that try to confuse bpftrap or its reader. Everything that they control is data. See
// also table_test.cpp (argv that can be pasted) and exec_args_test.cpp (sizes of argv).
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/failure.h"
#include "e2e/shell_words.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using HostileTest = TracingTest;
using Words = std::vector<std::string>;

// As long as a file name can be, with wide and combining characters and a line feed.
const std::string long_name = [] {
  std::string name = "long\n";
  while (name.size() + 6 <= 255) {
    name += "日e\xcc\x81";
  }
  return name + std::string(255 - name.size(), 'x');
}();

// File names, so there are no slashes.
const char* const names[] = {
    long_name.c_str(),
    "日本語 ｗｉｄｅ",
    "\x1b[2J\x1b[31m",
    "\x1b]0;title\x07",
    "\x9b"
    "31m",
    "\xc2\x9b"
    "31m",
    "\xc2\x85next line",
    "\xe2\x80\xaegnp.exe",
    "\xe2\x81\xa6isolate",
    "zero\xe2\x80\x8bwidth",
    "\xe2\x80\xa8line",
    "\xef\xbb\xbfmark",
    "two\nlines",
    "12:00:00\nexec 1",
    "over\rwritten",
    "back\b\b\b\bspace",
    "\x7f",
    "\xff\xfe",
    "cut\xf0\x9f",
    "\xed\xa0\x80",
    "cut by the comm\xe2\x80\xae",
    "{\"event\":\"stop\"}",
    "\\\"\\u0000",
    ") R 1 1 (",
    " ",
};

// True without code points that hide or reorder text, or break the line.
bool shows_as_it_is(const std::string& text) {
  for (const char* sequence :
       {"\xd8\x9c", "\xe2\x80\x8b", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",
        "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9", "\xef\xbb\xbf"}) {
    if (text.find(sequence) != std::string::npos) {
      return false;
    }
  }
  return is_terminal_safe(text);
}

// Executes this binary with the name as arguments, in a directory of that name.
int exec_in(const std::string& directory, const char* name) {
  if (::mkdir(directory.c_str(), 0755) != 0 || ::chdir(directory.c_str()) != 0) {
    return 1;
  }
  return exec_argv(self_path(), {name, name});
}

// Uses each name as comm, file name, argument and directory, and as a path that does not exist: 4
// processes per name.
int use_names(const ScratchDir& scratch) {
  ScratchDir directories;
  for (const char* name : names) {
    std::string path = scratch / name;
    if (::symlink(self_path().c_str(), path.c_str()) != 0) {
      return 1;
    }
    run_workload({"rename", name});
    Child([&] { return exec_argv(path, {path}); }).wait();
    Child([&] { return exec_in(directories / name, name); }).wait();
    Child([&] {
      ::prctl(PR_SET_NAME, name);
      return exec_argv(path + "/" + name, {name});
    }).wait();
  }
  return 0;
}

// A value of --columns with each column that there is.
std::string all_columns() {
  Outcome help = run_bpftrap({"exec", "--columns", "help"});
  std::string list;
  std::istringstream lines(help.output);
  for (std::string line; std::getline(lines, line);) {
    list += (list.empty() ? "" : ",") + line.substr(0, line.find(' '));
  }
  return list;
}

TEST_F(HostileTest, NamesMakeNeitherRowsNorRecords) {
  constexpr std::size_t count = std::size(names);
  ScratchDir scratch;
  Gate gate;
  Child driver([&] {
    gate.wait();
    return use_names(scratch);
  });
  const std::string tree = std::to_string(driver.pid());
  const std::string columns = all_columns();
  ASSERT_NE(columns.find("ANCESTORS"), std::string::npos);
  ASSERT_NE(columns.find("stderr"), std::string::npos);
  struct Traced {
    Words options;
    std::size_t records;
    std::unique_ptr<Bpftrap> bpftrap = {};
  };
  // Three of the four processes execute a program; one only tries. The driver executes none.
  Traced all[] = {
      {{"exec", "--event=+failed", "--summary"}, 7 * count},
      {{"exec", "--event=+failed", "--forest"}, 7 * count},
      {{"exec", "--event=+failed,fork", "--stdio", "--env=*", "--columns", columns}, 11 * count},
      {{"exec", "--event=+failed", "--json", "--summary"}, 7 * count},
      {{"exit", "--color=never", "--summary"}, 4 * count + 1},
      {{"exit", "--json", "--summary"}, 4 * count + 1}};
  for (Traced& one : all) {
    one.options.insert(one.options.end(), {"--tree", tree});
    one.bpftrap = std::make_unique<Bpftrap>(one.options);
    one.bpftrap->await_start();
  }
  gate.open();
  EXPECT_EQ(driver.wait().status, 0);
  for (Traced& one : all) {
    SCOPED_TRACE(testing::PrintToString(one.options));
    // The trace ends with its tree. A signal might find it waiting for this reader, and stop that.
    EXPECT_EQ(one.bpftrap->wait(), 0);
    EXPECT_TRUE(is_terminal_safe(one.bpftrap->errors()));
    if (one.bpftrap->records().empty()) {
      EXPECT_EQ(one.bpftrap->lines().size(), 1 + one.records) << "a header and one row per record";
      EXPECT_TRUE(shows_as_it_is(one.bpftrap->output()));
      EXPECT_TRUE(shows_as_it_is(one.bpftrap->errors()));
      bool summary =
          std::find(one.options.begin(), one.options.end(), "--summary") != one.options.end();
      EXPECT_EQ(one.bpftrap->errors().empty(), !summary);
    } else {
      EXPECT_EQ(one.bpftrap->records().back().number("records"), one.records);
    }
  }
}

TEST_F(HostileTest, NamesOfUsersPutNothingOnTheTerminal) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount another /etc/passwd";
  }
  ScratchDir scratch;
  std::string tiny = write_tiny_program(scratch);
  std::string passwd = scratch / "passwd";
  std::ofstream(passwd) << "\x1b[31mroot\xe2\x80\xae\xff\x9b:x:" << storm_user << ":0::/:/bin/sh\n";
  Bpftrap::Setup setup;
  setup.before_exec = [&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(passwd.c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr) != 0) {
      ::_exit(77);
    }
  };
  Bpftrap bpftrap({"exit", "--user", storm_user}, setup);
  bpftrap.await_start();
  make_storm(3, tiny);
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.lines().size(), 4U);
  EXPECT_NE(bpftrap.output().find("[31mroot"), std::string::npos)
      << "the table shows the user's name";
  EXPECT_TRUE(shows_as_it_is(bpftrap.output()));
}

TEST_F(HostileTest, NamesOfCgroupsAreValidUtf8) {
  std::string root = hierarchy();
  if (root.empty()) {
    GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
  }
  std::string name = "/bpftrap-e2e-" + std::to_string(::getpid()) + "-\x1b[31m\x9b\xff\xe2\x80\xae";
  Group group(root + name);
  Bpftrap bpftrap({"exec", "--json", "--cgroup", root + name});
  bpftrap.await_start();
  Ended process = Child([&] {
                    group.enter();
                    return exec_self({"nothing"});
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  std::string shown = name;
  for (const char* byte : {"\x9b", "\xff"}) {
    shown.replace(shown.find(byte), 1, "\xef\xbf\xbd");
  }
  EXPECT_EQ(bpftrap.record_of(process, "exec").maybe_text("cgroup"), shown);
}

TEST_F(HostileTest, ArgumentsOfTwoMegabytes) {
  // Arguments may take a quarter of the stack.
  constexpr rlim_t stack = 16 << 20;
  rlimit limit{};
  ::getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_max < stack) {
    GTEST_SKIP() << "the stack limit cannot be raised that far";
  }
  Bpftrap table({"exec"});
  Bpftrap json({"exec", "--json"});
  table.await_start();
  json.await_start();
  std::vector<Ended> processes;
  constexpr std::size_t one = 130'000, many = 17;
  for (const char* byte : {"\n", "\x1b", "\xff"}) {
    processes.push_back(Child([&] {
                          rlimit raised{stack, limit.rlim_max};
                          ::setrlimit(RLIMIT_STACK, &raised);
                          return exec_argv(self_path(), Words(many, std::string(one, byte[0])));
                        }).wait());
  }
  EXPECT_EQ(table.stop(), 0);
  EXPECT_EQ(json.stop(), 0);
  EXPECT_TRUE(shows_as_it_is(table.output()));
  for (const Ended& process : processes) {
    ASSERT_EQ(process.status, 0);
    Record exec = json.record_of(process, "exec");
    EXPECT_EQ(exec.number("args_size"), many * (one + 1));
    EXPECT_TRUE(exec.flag("args_truncated"));
    EXPECT_TRUE(json.record_of(process, "exit").strings("args") == exec.strings("args"));
    Words lines = table.lines();
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [&](const std::string& line) {
                              return line.find(" " + std::to_string(process.pid) + " ") !=
                                         std::string::npos &&
                                     line.size() > 32768;
                            }),
              2);
  }
}

void await(const char* what, const std::function<bool()>& done) {
  std::uint64_t deadline =
      boot_ns_now() + static_cast<std::uint64_t>(std::chrono::nanoseconds(patience / 4).count());
  for (; !done(); sleep_for(1ms)) {
    if (boot_ns_now() > deadline) {
      throw Failure(std::string("timed out waiting for ") + what);
    }
  }
}

// The threads that read it have ended then.
bool has_read_proc(const Bpftrap& bpftrap) {
  std::vector<std::string> status =
      lines_of_file("/proc/" + std::to_string(bpftrap.pid()) + "/status");
  return std::find(status.begin(), status.end(), "Threads:\t1") != status.end();
}

TEST_F(HostileTest, OlderProcessWithAForgedNameAndArguments) {
  ScratchDir scratch;
  const char* name = ") R 1 1\n1 (";
  std::string path = scratch / name;
  ASSERT_EQ(::symlink(self_path().c_str(), path.c_str()), 0);
  const Words argv{"\x1b[31m", "\xff\n", "", "\xe2\x80\xae"};
  Child child([&] { return exec_argv(path, argv, "pause"); });
  std::string proc = "/proc/" + std::to_string(child.pid());
  await("the execution", [&] { return lines_of_file(proc + "/comm") == Words{") R 1 1", "1 ("}; });
  const std::string pid = std::to_string(child.pid());
  Bpftrap json({"exit", "--json", "--pid", pid});
  Bpftrap table({"exit", "--pid", pid});
  json.await_start();
  table.await_start();
  await("/proc to be read", [&] { return has_read_proc(json) && has_read_proc(table); });
  child.kill(SIGKILL);
  Ended process = child.wait();
  EXPECT_EQ(json.stop(), 0);
  EXPECT_EQ(table.stop(), 0);
  Record exit = json.record_of(process, "exit");
  EXPECT_EQ(exit.text("comm"), name);
  EXPECT_EQ(exit.maybe_text("filename"), std::nullopt);
  EXPECT_EQ(exit.strings("args"), (Words{"\x1b[31m", "\xef\xbf\xbd\n", "", "\xe2\x80\xae"}));
  EXPECT_EQ(table.lines().size(), 2U);
  EXPECT_TRUE(shows_as_it_is(table.output()));
}

TEST_F(HostileTest, RenamedAllTheTime) {
  Bpftrap json({"exit", "--json"});
  json.await_start();
  std::vector<Ended> processes;
  for (int i = 0; i < 20; ++i) {
    Child child([] {
      for (;;) {
        for (const char* name : names) {
          ::prctl(PR_SET_NAME, name);
        }
      }
      return 0;
    });
    sleep_for(2ms);
    child.kill(SIGKILL);
    processes.push_back(child.wait());
  }
  EXPECT_EQ(json.stop(), 0);
  for (const Ended& process : processes) {
    EXPECT_LE(json.record_of(process, "exit").text("comm").size(), 15U * 3);
  }
}

TEST_F(HostileTest, ExecInALoopIsOneProcess) {
  constexpr std::size_t times = 150;
  for (const char* way : {"then", "then-from-thread"}) {
    Bpftrap bpftrap({"exec", "--json"});
    bpftrap.await_start();
    Words workload(times - 1, way);  // each executes the next one
    workload.push_back("nothing");
    Ended process = run_workload(workload);
    EXPECT_EQ(process.status, 0);
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.records_of(process, "exec").size(), times) << way;
    EXPECT_EQ(bpftrap.record_of(process, "exit").strings("args").back(), "nothing");
  }
}

// A thousand threads, the leader included, that end one by one at the same moment.
int end_a_thousand_threads() {
  static int gate[2];
  if (::pipe(gate) != 0) {
    return 1;
  }
  pthread_attr_t small{};
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, 64 << 10);
  for (int i = 0; i < 999; ++i) {
    pthread_t thread{};
    auto run = [](void*) -> void* {
      char byte = 0;
      while (::read(gate[0], &byte, 1) != 0) {
      }
      for (;;) {
        ::syscall(SYS_exit, 7);
      }
    };
    if (::pthread_create(&thread, &small, run, nullptr) != 0) {
      return 1;
    }
  }
  ::close(gate[1]);
  for (;;) {
    ::syscall(SYS_exit, 7);
  }
}

TEST_F(HostileTest, ThousandThreadsEndAtOnce) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> processes;
  for (int i = 0; i < 3; ++i) {
    processes.push_back(Child(end_a_thousand_threads).wait());
    ASSERT_EQ(WEXITSTATUS(processes.back().status), 7);
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : processes) {
    EXPECT_EQ(bpftrap.record_of(process, "exit").maybe_number("exit_code"), 7U);
  }
}

}  // namespace
}  // namespace e2e
