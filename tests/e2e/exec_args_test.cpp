// SPDX-License-Identifier: GPL-2.0-only
// argv and file names in `exec` records equal those that the test passed to execve().
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <numeric>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

using ExecArgsTest = TracingTest;
using Argv = std::vector<std::string>;

std::size_t size_of(const Argv& argv) {
  return std::accumulate(argv.begin(), argv.end(), std::size_t{0},
                         [](std::size_t sum, const auto& arg) { return sum + arg.size() + 1; });
}

// Traces one execution and keeps both records of the process.
struct Traced {
  Record exec;
  Record exit;
};
Traced trace(const std::function<int()>& body) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = Child(body).wait();
  EXPECT_EQ(process.status, 0);
  EXPECT_EQ(bpftrap.stop(), 0);
  return {bpftrap.record_of(process, "exec"), bpftrap.record_of(process, "exit")};
}

void expect_whole(const Record& exec, const Argv& argv, std::size_t size) {
  EXPECT_EQ(exec.strings("args"), argv);
  EXPECT_EQ(exec.number("args_size"), size);
  EXPECT_FALSE(exec.flag("args_truncated"));
}

TEST_F(ExecArgsTest, ArgumentsAreWhole) {
  for (const Argv& argv : {
           Argv{"name", "", "with space", "line\nbreak\ttab", "quote'\"\\", "ünïcödé €",
                "\x1b[31m"},
           Argv{"", "", ""},
           Argv{"last one empty", ""},
           Argv{"name", std::string(10'000, 'x'), "end"},
           Argv(300, "many"),
       }) {
    Traced traced = trace([&] { return exec_argv(self_path(), argv); });
    expect_whole(traced.exec, argv, size_of(argv));
    EXPECT_EQ(traced.exec.text("filename"), self_path());
    EXPECT_TRUE(traced.exec.is_null("interp"));
    EXPECT_TRUE(traced.exec.is_null("errno"));
    EXPECT_EQ(traced.exit.strings("args"), argv);
    EXPECT_FALSE(traced.exit.flag("args_truncated"));
    EXPECT_EQ(traced.exit.text("filename"), self_path());
  }
}

TEST_F(ExecArgsTest, BytesThatAreNoUtf8AreReplacedOneByOne) {
  const std::string r = "\xEF\xBF\xBD";
  Argv argv{"name",     "\xff\xfe",         "a\xc3",    "\xed\xa0\x80",
            "\xc0\xaf", "\xf4\x90\x80\x80", "\xe2\x82z"};
  Argv expected{"name", r + r, "a" + r, r + r + r, r + r, r + r + r + r, r + r + "z"};
  Traced traced = trace([&] { return exec_argv(self_path(), argv); });
  expect_whole(traced.exec, expected, size_of(argv));
}

// Sizes around the limits of bpftrap's buffers.
TEST_F(ExecArgsTest, ArgumentsOfAnySizeUpTo32KiBAreWhole) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  std::vector<std::pair<Ended, Argv>> started;
  for (std::size_t power = 128; power <= 32768; power *= 2) {
    for (std::size_t size : {power - 25, power - 24, power - 23, power - 1, power, power + 1,
                             power * 3 / 2 - 1, power * 3 / 2, power * 3 / 2 + 1}) {
      if (size > 32768) {
        continue;
      }
      Argv argv{"name", std::string(size - 8, 'a'), "z"};
      ASSERT_EQ(size_of(argv), size);
      Child child([&] { return exec_argv(self_path(), argv); });
      started.emplace_back(child.wait(), std::move(argv));
    }
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const auto& [process, argv] : started) {
    EXPECT_EQ(process.status, 0);
    expect_whole(bpftrap.record_of(process, "exec"), argv, size_of(argv));
  }
}

TEST_F(ExecArgsTest, LongerArgumentsAreTruncatedAndSaySo) {
  Argv argv{"name", std::string(20'000, 'a'), std::string(20'000, 'b'), "end"};
  Traced traced = trace([&] { return exec_argv(self_path(), argv); });
  Argv kept = traced.exec.strings("args");
  EXPECT_EQ(traced.exec.number("args_size"), size_of(argv));
  EXPECT_TRUE(traced.exec.flag("args_truncated"));
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0], argv[0]);
  EXPECT_EQ(kept[1], argv[1]);
  EXPECT_EQ(kept[2], argv[2].substr(0, kept[2].size()));
  EXPECT_GE(size_of(kept), 32768U);
  EXPECT_EQ(traced.exit.strings("args"), kept);
  EXPECT_TRUE(traced.exit.flag("args_truncated"));
}

constexpr std::size_t longest_path = 4094;

// A path of `size` bytes below `parent`, through directories with long names. `visit` gets each
// directory, and the path at last.
template <class Visit>
std::string walk_deep_path(const std::string& parent, std::size_t size, Visit visit) {
  std::string path = parent;
  while (path.size() < size) {
    std::size_t left = size - path.size() - 1;
    std::size_t name = left <= 200 ? left : left < 203 ? 190 : 200;
    path += "/" + std::string(name, 'd');
    visit(path);
  }
  return path;
}

std::string name_of_deep_path(const std::string& parent, std::size_t size) {
  return walk_deep_path(parent, size, [](const std::string&) {});
}

// The same with its directories. It leads to this binary.
std::string deep_path(const std::string& parent, std::size_t size) {
  return walk_deep_path(parent, size, [size](const std::string& path) {
    int error = path.size() < size ? ::mkdir(path.c_str(), 0755)
                                   : ::symlink(self_path().c_str(), path.c_str());
    if (error != 0) {
      throw Failure("cannot create a file with a long path");
    }
  });
}

TEST_F(ExecArgsTest, LongFileNamesAreWhole) {
  for (std::size_t size : {127, 128, 129, 255, 256, 257, 1000, 4094, 4095}) {
    ScratchDir scratch;
    std::string path = deep_path(scratch.path(), size);
    Traced traced = trace([&] { return exec_argv(path, {"short", "args"}); });
    EXPECT_EQ(traced.exec.text("filename"), path);
    expect_whole(traced.exec, {"short", "args"}, 11);
    EXPECT_EQ(traced.exit.text("filename"), path);
  }
}

TEST_F(ExecArgsTest, LongFileNameWithLongArgumentsIsWhole) {
  ScratchDir scratch;
  std::string path = deep_path(scratch.path(), 4095);
  Argv argv{"name", std::string(32'000, 'x')};
  Traced traced = trace([&] { return exec_argv(path, argv); });
  EXPECT_EQ(traced.exec.text("filename"), path);
  expect_whole(traced.exec, argv, size_of(argv));
}

std::string write_script(const ScratchDir& scratch, const std::string& name,
                         const std::string& first_line) {
  std::string path = scratch / name;
  std::ofstream(path) << first_line << "\n";
  ::chmod(path.c_str(), 0755);
  return path;
}

TEST_F(ExecArgsTest, ScriptIsTheFileAndItsInterpreterIsSaid) {
  ScratchDir scratch;
  std::string script = write_script(scratch, "script", "#!" + self_path());
  Traced traced = trace([&] { return exec_argv(script, {"ignored", "a b", ""}); });
  Argv expected{self_path(), script, "a b", ""};
  EXPECT_EQ(traced.exec.text("filename"), script);
  EXPECT_EQ(traced.exec.text("interp"), self_path());
  expect_whole(traced.exec, expected, size_of(expected));
  EXPECT_EQ(traced.exec.text("comm"), "script");
  EXPECT_EQ(traced.exit.text("filename"), script);
  EXPECT_EQ(traced.exit.strings("args"), expected);
}

TEST_F(ExecArgsTest, InterpreterOfAScriptMayBeAScriptWithAnOption) {
  ScratchDir scratch;
  std::string inner = write_script(scratch, "inner", "#!" + self_path() + " one option");
  std::string outer = write_script(scratch, "outer", "#!" + inner);
  Traced traced = trace([&] { return exec_argv(outer, {"ignored", "arg"}); });
  EXPECT_EQ(traced.exec.text("filename"), outer);
  EXPECT_EQ(traced.exec.text("interp"), self_path());
  EXPECT_EQ(traced.exec.strings("args"), (Argv{self_path(), "one option", inner, outer, "arg"}));
}

TEST_F(ExecArgsTest, ExecveatRelativeToADirectory) {
  ScratchDir scratch;
  ASSERT_EQ(::symlink(self_path().c_str(), (scratch / "program").c_str()), 0);
  int dir = ::open(scratch.path().c_str(), O_PATH | O_CLOEXEC);
  Traced traced = trace([&] {
    ExecStrings strings({"name", "arg"});
    ::syscall(SYS_execveat, dir, "program", strings.argv(), strings.envp(), 0);
    return 127;
  });
  ::close(dir);
  // The form that execveat(2) documents.
  EXPECT_EQ(traced.exec.text("filename"), "/dev/fd/" + std::to_string(dir) + "/program");
  expect_whole(traced.exec, {"name", "arg"}, 9);
}

TEST_F(ExecArgsTest, ExecveatWithTheLongestPathIsWhole) {
  ScratchDir scratch;
  int dir = ::open(scratch.path().c_str(), O_PATH | O_CLOEXEC);
  std::string path;
  // In a child, because its current directory changes: the path is too long behind another one.
  Ended maker = Child([&] {
                  return ::fchdir(dir) == 0 && ::mkdir("d", 0755) == 0 &&
                                 deep_path("d", longest_path).size() == longest_path
                             ? 0
                             : 1;
                }).wait();
  ASSERT_EQ(maker.status, 0);
  Traced traced = trace([&] {
    ExecStrings strings({"name", "arg"});
    std::string relative = name_of_deep_path("d", longest_path);
    ::syscall(SYS_execveat, dir, relative.c_str(), strings.argv(), strings.envp(), 0);
    return 127;
  });
  EXPECT_EQ(traced.exec.text("filename"),
            "/dev/fd/" + std::to_string(dir) + "/" + name_of_deep_path("d", longest_path));
  expect_whole(traced.exec, {"name", "arg"}, 9);
  EXPECT_EQ(traced.exit.text("filename"), traced.exec.text("filename"));
  ::close(dir);
}

// An interpreter of binfmt_misc, which takes longer paths than the first line of a script. A user
// namespace has handlers of its own since 6.7.
int execute_by_handler(const std::string& file, const std::string& interpreter) {
  std::string handlers = "/proc/sys/fs/binfmt_misc";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_file("/proc/self/uid_map", "0 0 1") ||
      !write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/gid_map", "0 0 1") ||
      ::mount("none", handlers.c_str(), "binfmt_misc", 0, nullptr) != 0 ||
      !write_file(handlers + "/register", ":bpftrap-test:M::BPFTRAP-E2E::" + interpreter + ":")) {
    return 77;
  }
  return exec_argv(file, {"ignored", "arg"});
}

TEST_F(ExecArgsTest, LongInterpreterIsWhole) {
  ScratchDir scratch;
  std::string file = scratch / "file", interpreter = deep_path(scratch.path(), 1200);
  std::ofstream(file) << "BPFTRAP-E2E";
  ::chmod(file.c_str(), 0755);
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = Child([&] { return execute_by_handler(file, interpreter); }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  if (WEXITSTATUS(process.status) == 77) {
    GTEST_SKIP() << "no binfmt_misc in a user namespace";
  }
  ASSERT_EQ(process.status, 0);
  Record exec = bpftrap.record_of(process, "exec");
  EXPECT_EQ(exec.text("filename"), file);
  EXPECT_EQ(exec.text("interp"), interpreter);
  Argv expected{interpreter, file, "arg"};
  expect_whole(exec, expected, size_of(expected));
}

TEST_F(ExecArgsTest, FexecveOfAFileAndOfMemory) {
  int file = ::open(self_path().c_str(), O_RDONLY | O_CLOEXEC);
  int memory = static_cast<int>(::syscall(SYS_memfd_create, "program", 1U /* MFD_CLOEXEC */));
  ASSERT_GE(memory, 0);
  struct stat status {};
  ::fstat(file, &status);
  off_t offset = 0;
  while (offset < status.st_size) {
    ssize_t copied = ::syscall(SYS_sendfile, memory, file, &offset, 1 << 20);
    ASSERT_GT(copied, 0);
  }
  for (int fd : {file, memory}) {
    Traced traced = trace([&] {
      ExecStrings strings({"name", "arg"});
      ::fexecve(fd, strings.argv(), strings.envp());
      return 127;
    });
    EXPECT_EQ(traced.exec.text("filename"), "/dev/fd/" + std::to_string(fd));
    expect_whole(traced.exec, {"name", "arg"}, 9);
    ::close(fd);
  }
}

TEST_F(ExecArgsTest, WhatAProcessDoesToItsArgvLaterIsNotReported) {
  Traced traced = trace([] {
    return exec_argv(self_path(), {"name", "--secret", "hunter2"}, "overwrite-argv");
  });
  EXPECT_EQ(traced.exec.strings("args"), (Argv{"name", "--secret", "hunter2"}));
  EXPECT_EQ(traced.exit.strings("args"), (Argv{"name", "--secret", "hunter2"}));
}

}  // namespace
}  // namespace e2e
