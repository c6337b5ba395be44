// SPDX-License-Identifier: GPL-2.0-only
// `exec --event +failed`: programs that could not be executed, and the error.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using FailedExecTest = TracingTest;

// A child that tries to execute, and ends with the errno as its exit code.
Ended try_exec(const std::string& path, std::vector<std::string> argv) {
  return Child([&] {
           ExecStrings strings(argv);
           ::execve(path.c_str(), strings.argv(), strings.envp());
           return errno;
         })
      .wait();
}

void expect_failed(const Bpftrap& bpftrap, const Ended& process, const std::string& path,
                   const std::vector<std::string>& argv, const char* error) {
  ASSERT_EQ(std::string(::strerrorname_np(WEXITSTATUS(process.status))), error);
  Record record = bpftrap.record_of(process, "exec");
  EXPECT_EQ(record.maybe_text("errno"), error);
  EXPECT_EQ(record.maybe_text("filename"), path);
  EXPECT_EQ(record.strings("args"), argv);
  EXPECT_FALSE(record.flag("args_truncated"));
  std::uint64_t size = 0;
  for (const std::string& argument : argv) {
    size += argument.size() + 1;
  }
  EXPECT_EQ(record.maybe_number("args_size"), size);
  EXPECT_TRUE(record.is_null("interp"));
  EXPECT_TRUE(bpftrap.records_of(process, "exit").empty()) << "it never executed a program";
}

TEST_F(FailedExecTest, EachWithItsError) {
  ScratchDir directory;
  std::string garbage = directory / "garbage", closed = directory / "closed",
              loop = directory / "loop";
  std::ofstream(garbage) << "neither a program nor a script\n";
  ::chmod(garbage.c_str(), 0755);
  std::ofstream(closed) << "#!/bin/sh\n";
  ::chmod(closed.c_str(), 0644);
  ASSERT_EQ(::symlink(loop.c_str(), loop.c_str()), 0);
  std::string bad_script = directory / "script";
  std::ofstream(bad_script) << "#!/nonexistent/interpreter\n";
  ::chmod(bad_script.c_str(), 0755);
  struct Case {
    std::string path;
    const char* error;
  };
  const std::vector<Case> cases{{directory / "absent", "ENOENT"},
                                {closed, "EACCES"},
                                {garbage, "ENOEXEC"},
                                {loop, "ELOOP"},
                                {garbage + "/x", "ENOTDIR"},
                                {bad_script, "ENOENT"},
                                {directory.path(), "EACCES"}};
  const std::vector<std::string> argv{"name", "", "a b", "x"};
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  std::vector<Ended> processes;
  for (const Case& one : cases) {
    processes.push_back(try_exec(one.path, argv));
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].path);
    expect_failed(bpftrap, processes[i], cases[i].path, argv, cases[i].error);
  }
}

TEST_F(FailedExecTest, LongNamesAndArguments) {
  std::string path = "/" + std::string(200, 'd') + "/" + std::string(200, 'f');
  std::vector<std::string> argv(100, std::string(50, 'a'));
  std::vector<std::string> one(1, std::string(20'000, 'b'));
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended many = try_exec(path, argv);
  Ended large = try_exec(path, one);
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_failed(bpftrap, many, path, argv, "ENOENT");
  expect_failed(bpftrap, large, path, one, "ENOENT");
}

TEST_F(FailedExecTest, MoreArgumentsThanAreKept) {
  std::vector<std::string> argv(5, std::string(130'000, 'x'));
  argv.insert(argv.begin(), std::string(200'000, 'y'));
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended process = try_exec("/proc/self/exe", argv);
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(WEXITSTATUS(process.status), E2BIG);
  Record record = bpftrap.record_of(process, "exec");
  EXPECT_EQ(record.maybe_text("errno"), "E2BIG");
  EXPECT_TRUE(record.flag("args_truncated"));
  EXPECT_TRUE(record.is_null("args_size"));
  ASSERT_EQ(record.strings("args").size(), 1U);
  EXPECT_GE(record.strings("args")[0].size(), 32'000U);
}

TEST_F(FailedExecTest, WhatCannotBeReadIsNull) {
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended bad_argv = Child([] {
                     ::syscall(SYS_execve, "/proc/self/exe", 8, nullptr);
                     return errno;
                   }).wait();
  Ended bad_path = Child([] {
                     ExecStrings strings({"a"});
                     ::syscall(SYS_execve, 8, strings.argv(), nullptr);
                     return errno;
                   }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(WEXITSTATUS(bad_argv.status), EFAULT);
  ASSERT_EQ(WEXITSTATUS(bad_path.status), EFAULT);
  Record argv = bpftrap.record_of(bad_argv, "exec");
  EXPECT_EQ(argv.maybe_text("errno"), "EFAULT");
  EXPECT_EQ(argv.maybe_text("filename"), "/proc/self/exe");
  EXPECT_TRUE(argv.is_null("args"));
  EXPECT_TRUE(argv.is_null("args_size"));
  Record path = bpftrap.record_of(bad_path, "exec");
  EXPECT_TRUE(path.is_null("filename"));
  EXPECT_EQ(path.strings("args"), std::vector<std::string>{"a"});
}

TEST_F(FailedExecTest, ExecveatToo) {
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended process = Child([] {
                    ExecStrings strings({"a", "b"});
                    ::syscall(SYS_execveat, AT_FDCWD, "no/such", strings.argv(), strings.envp(), 0);
                    return errno;
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_failed(bpftrap, process, "no/such", {"a", "b"}, "ENOENT");
}

std::vector<std::string> kinds_of(const Bpftrap& bpftrap, const Ended& process) {
  std::vector<std::string> kinds;
  for (const Record& record : bpftrap.records_of(process)) {
    kinds.push_back(record.text("event"));
  }
  return kinds;
}

TEST_F(FailedExecTest, OnlyWhereAskedFor) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = try_exec("/nonexistent", {"a"});
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_TRUE(bpftrap.records_of(process).empty());
}

TEST_F(FailedExecTest, OnlyFailuresWithX) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "-x", "--json"});
    bpftrap.await_start();
    Ended absent = try_exec("/nonexistent", {"a"});
    Ended good = run_workload({"exit", "0"});
    Ended bad = run_workload({"exit", "3"});
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.record_of(absent, "exec").maybe_text("errno"), "ENOENT");
    EXPECT_TRUE(bpftrap.records_of(good).empty());
    ASSERT_EQ(bpftrap.records_of(bad).size(), 1U) << "the exec itself succeeded";
    Record end = bpftrap.record_of(bad, "exit");
    EXPECT_EQ(end.maybe_number("exit_code"), 3U);
    EXPECT_EQ(end.strings("args").back(), "3");
  }
}

TEST_F(FailedExecTest, EventsToPrint) {
  struct {
    const char* command;
    const char* list;
    std::vector<std::string> of_worker;  // the worker executes nothing
    std::vector<std::string> of_program;
    bool failed;
  } const cases[] = {
      {"exec", "exec", {}, {"exec"}, false},
      {"exec", "failed", {}, {}, true},
      {"exec", "exit", {"exit"}, {"exit"}, false},
      {"exec", "+failed", {}, {"exec", "exit"}, true},
      {"exec", "exec,exit", {"exit"}, {"exec", "exit"}, false},
      {"exit", "+exec", {"exit"}, {"exec", "exit"}, false},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(std::string(one.command) + " --event " + one.list);
    Bpftrap bpftrap({one.command, "--json", "--event", one.list});
    bpftrap.await_start();
    Ended absent = try_exec("/nonexistent", {"a"});
    Ended worker = Child([] { return 0; }).wait();
    Ended program = run_workload({"exit", "0"});
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(kinds_of(bpftrap, worker), one.of_worker);
    EXPECT_EQ(kinds_of(bpftrap, program), one.of_program);
    std::vector<std::string> failed = kinds_of(bpftrap, absent);
    EXPECT_EQ(std::count(failed.begin(), failed.end(), "exec"), one.failed ? 1 : 0);
  }
}

TEST_F(FailedExecTest, ExitShowsFailuresOnly) {
  Bpftrap bpftrap({"exit", "--failed", "--event=exit", "--json"});
  bpftrap.await_start();
  Ended good = Child([] { return 0; }).wait();
  Ended bad = Child([] { return 1; }).wait();
  Ended killed = Child([] { return ::raise(SIGKILL); }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_TRUE(bpftrap.records_of(good).empty());
  EXPECT_EQ(bpftrap.record_of(bad, "exit").maybe_number("exit_code"), 1U);
  EXPECT_EQ(bpftrap.record_of(killed, "exit").maybe_text("signal"), "SIGKILL");
}

// docs/exec.md: execvp() tries each directory, and bash and dash look for the file first.
TEST_F(FailedExecTest, ShellsLookAndOthersTry) {
  struct Case {
    std::string program;
    std::vector<std::string> argv;
    std::size_t tries;
  };
  const std::string name = "bpftrap-nosuch";
  std::size_t present = 0;
  for (const Case& each :
       {Case{"/usr/bin/env", {"env", name}, 3}, Case{"/bin/bash", {"bash", "-c", name}, 0},
        Case{"/bin/dash", {"dash", "-c", name}, 0}}) {
    if (::access(each.program.c_str(), X_OK) != 0) {
      continue;
    }
    ++present;
    SCOPED_TRACE(each.program);
    Bpftrap bpftrap({"exec", "--json", "--event", "failed"});
    bpftrap.await_start();
    Ended process = Child([&] {
                      ::setenv("PATH", "/bpftrap-a:/bpftrap-b:/bpftrap-c", 1);
                      ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
                      ExecStrings strings(each.argv, "");
                      return ::execve(each.program.c_str(), strings.argv(), environ);
                    }).wait();
    EXPECT_EQ(WEXITSTATUS(process.status), 127) << "not found";
    EXPECT_EQ(bpftrap.stop(), 0);
    std::size_t tries = 0;
    for (const Record& record : bpftrap.records_of(process, "exec")) {
      tries += record.text("filename").ends_with("/" + name) ? 1 : 0;
    }
    EXPECT_EQ(tries, each.tries);
  }
  if (present == 0) {
    GTEST_SKIP() << "neither env, bash nor dash is installed";
  }
}

}  // namespace
}  // namespace e2e
