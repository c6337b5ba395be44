// SPDX-License-Identifier: GPL-2.0-only
// `exe` and `cwd`, compared with what the process itself reads in /proc/self.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "e2e/links.h"

namespace e2e {
namespace {

using PathsTest = TracingTest;

// Expects that the record has the link without ` (deleted)`, and that mark by itself.
void expect_link(const Described& described, const char* key, const Link& link) {
  constexpr std::string_view mark = " (deleted)";
  ASSERT_TRUE(link) << key;
  bool deleted = link->size() > mark.size() &&
                 link->compare(link->size() - mark.size(), mark.size(), mark) == 0;
  std::string path = deleted ? link->substr(0, link->size() - mark.size()) : *link;
  EXPECT_EQ(described.exec.maybe_text(key), path);
  EXPECT_EQ(described.exec.flag((std::string(key) + "_deleted").c_str()), deleted) << path;
  EXPECT_EQ(described.exit.maybe_text(key), path);
}

void expect_links(const Described& described) {
  expect_link(described, "exe", described.links.exe);
  expect_link(described, "cwd", described.links.cwd);
}

void change_to(const std::string& directory) {
  must(::chdir(directory.c_str()), directory.c_str());
}

TEST_F(PathsTest, AreThoseOfProc) {
  for (const char* directory : {"/", "/usr", "/proc", "/dev/pts"}) {
    if (!std::filesystem::exists(directory)) {
      continue;
    }
    Described described = describe([&] { change_to(directory); }, self_path());
    expect_links(described);
    EXPECT_EQ(described.exec.text("cwd"), directory);
    EXPECT_EQ(described.exec.text("exe"), self_path());
  }
}

TEST_F(PathsTest, ExeIsTheFileBehindALinkOrARelativePath) {
  ScratchDir scratch;
  ASSERT_EQ(::symlink(self_path().c_str(), (scratch / "link").c_str()), 0);
  Described described = describe([&] { change_to(scratch.path()); }, "./link");
  expect_links(described);
  EXPECT_EQ(described.exec.text("filename"), "./link");
  EXPECT_EQ(described.exec.text("exe"), self_path());
}

TEST_F(PathsTest, NamesOfAnyBytesAndLength) {
  ScratchDir scratch;
  for (const std::string& name :
       {std::string("a"), std::string(31, 'b'), std::string(32, 'c'), std::string(39, 'd'),
        std::string(40, 'e'), std::string(41, 'f'), std::string(255, 'g'),
        std::string("line\nfeed \"and\\more\x01"), std::string("x (deleted)y")}) {
    std::string directory = scratch / name;
    std::filesystem::create_directory(directory);
    copy_self(directory + "/" + name);
    Described described = describe([&] { change_to(directory); }, directory + "/" + name);
    expect_links(described);
    EXPECT_EQ(described.exec.text("exe"), directory + "/" + name);
    std::filesystem::remove_all(directory);
  }
}

std::size_t count_names(const std::string& path) {
  std::filesystem::path parts(path);
  return static_cast<std::size_t>(std::distance(parts.begin(), parts.end())) - 1;
}

TEST_F(PathsTest, FortyLevelsAndNoMore) {
  ScratchDir scratch;
  std::string directory = scratch.path();
  for (std::size_t level = count_names(directory); level < 40; ++level) {
    directory += "/d";
  }
  std::filesystem::create_directories(directory + "/d");
  Described most = describe([&] { change_to(directory); }, self_path());
  expect_links(most);
  EXPECT_EQ(most.exec.text("cwd"), directory);
  Described more = describe([&] { change_to(directory + "/d"); }, self_path());
  EXPECT_EQ(more.links.cwd, directory + "/d");
  EXPECT_TRUE(more.exec.is_null("cwd"));
  EXPECT_FALSE(more.exec.flag("cwd_deleted"));
  EXPECT_TRUE(more.exit.is_null("cwd"));
  expect_link(more, "exe", more.links.exe);
}

// The longest path that readlink() returns has 4095 bytes.
TEST_F(PathsTest, FourKiBAndNoMore) {
  ScratchDir scratch;
  std::string directory = scratch.path();
  while (directory.size() < 4095 - 256) {
    directory += "/" + std::string(200, 'd');
    ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0) << errno;
  }
  std::string last(4095 - directory.size() - 1, 'e');
  auto change = [&](const std::string& name) {
    change_to(directory);
    must(::mkdir(name.c_str(), 0755), "mkdir");
    change_to(name);
  };
  Described most = describe([&] { change(last); }, self_path());
  expect_links(most);
  EXPECT_EQ(most.exec.text("cwd"), directory + "/" + last);
  Described more = describe([&] { change(last + "e"); }, self_path());
  EXPECT_FALSE(more.links.cwd) << "the kernel has no room for it either";
  EXPECT_TRUE(more.exec.is_null("cwd"));
}

TEST_F(PathsTest, RemovedDirectory) {
  ScratchDir scratch;
  std::filesystem::create_directory(scratch / "gone");
  Described described = describe(
      [&] {
        change_to(scratch / "gone");
        must(::rmdir((scratch / "gone").c_str()), "rmdir");
      },
      self_path());
  expect_links(described);
  EXPECT_EQ(described.exec.text("cwd"), scratch / "gone");
  EXPECT_TRUE(described.exec.flag("cwd_deleted"));
}

void execute_fd(int fd, char* const* argv, char* const* envp) {
  ::syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

TEST_F(PathsTest, RemovedProgram) {
  ScratchDir scratch;
  copy_self(scratch / "program");
  int fd = ::open((scratch / "program").c_str(), O_PATH | O_CLOEXEC);
  ASSERT_EQ(::unlink((scratch / "program").c_str()), 0);
  Described described =
      describe_by([] {}, [fd](auto argv, auto envp) { execute_fd(fd, argv, envp); });
  ::close(fd);
  expect_links(described);
  EXPECT_EQ(described.exec.text("exe"), scratch / "program");
  EXPECT_TRUE(described.exec.flag("exe_deleted"));
}

int memory_with_self(const std::string& name) {
  int file = ::open(self_path().c_str(), O_RDONLY | O_CLOEXEC);
  int memory = static_cast<int>(::syscall(SYS_memfd_create, name.c_str(), 1U /* MFD_CLOEXEC */));
  struct stat status {};
  ::fstat(file, &status);
  off_t offset = 0;
  while (offset<status.st_size&& ::syscall(SYS_sendfile, memory, file, &offset, 1 << 20)> 0) {
  }
  ::close(file);
  return memory;
}

TEST_F(PathsTest, ProgramInMemory) {
  for (const std::string& name : {std::string("m"), std::string(249, 'n')}) {
    int fd = memory_with_self(name);
    ASSERT_GE(fd, 0);
    Described described =
        describe_by([] {}, [fd](auto argv, auto envp) { execute_fd(fd, argv, envp); });
    ::close(fd);
    expect_links(described);
    EXPECT_EQ(described.exec.text("exe"), "/memfd:" + name);
    EXPECT_TRUE(described.exec.flag("exe_deleted"));
  }
}

TEST_F(PathsTest, ExeOfAScriptIsItsInterpreter) {
  ScratchDir scratch;
  int script = ::open((scratch / "script").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
  std::string line = "#!" + self_path() + "\n";
  ASSERT_EQ(::write(script, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  ::close(script);
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = Child([&] { return exec_argv(scratch / "script", {"x"}); }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.record_of(process, "exec").text("filename"), scratch / "script");
  EXPECT_EQ(bpftrap.record_of(process, "exec").text("exe"), self_path());
}

TEST_F(PathsTest, FailedExecHasThoseOfTheCaller) {
  ScratchDir scratch;
  Bpftrap bpftrap({"exec", "--json", "--event", "+failed"});
  bpftrap.await_start();
  Ended process = Child([&] {
                    change_to(scratch.path());
                    return exec_argv("./none", {"none"});
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record failed = bpftrap.record_of(process, "exec");
  EXPECT_EQ(failed.text("errno"), "ENOENT");
  EXPECT_EQ(failed.text("filename"), "./none");
  EXPECT_EQ(failed.text("exe"), self_path());
  EXPECT_EQ(failed.text("cwd"), scratch.path());
}

TEST_F(PathsTest, EndOfAProcessThatExecutedNothingHasNone) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended process = Child([] { return 0; }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_TRUE(bpftrap.record_of(process, "exit").is_null("exe"));
  EXPECT_TRUE(bpftrap.record_of(process, "exit").is_null("cwd"));
}

TEST_F(PathsTest, OlderProcessHasThoseOfProc) {
  ScratchDir scratch;
  Child child([&] {
    change_to(scratch.path());
    return exec_self({"pause"});
  });
  sleep_for(std::chrono::milliseconds(100));
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  sleep_for(std::chrono::seconds(1));  // bpftrap reads /proc meanwhile
  child.kill(SIGKILL);
  Ended process = child.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record exit = bpftrap.record_of(process, "exit");
  EXPECT_EQ(exit.text("exe"), self_path());
  EXPECT_EQ(exit.text("cwd"), scratch.path());
}

}  // namespace
}  // namespace e2e
