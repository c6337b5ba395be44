// SPDX-License-Identifier: GPL-2.0-only
// Details that --stdio and --env add to exec records.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "e2e/links.h"

namespace e2e {
namespace {

using StdioTest = TracingTest;

// Expects the three keys to be the links that the process read itself.
void expect_fds(const Described& described) {
  EXPECT_EQ(described.exec.maybe_text("stdin"), described.links.fds[0]);
  EXPECT_EQ(described.exec.maybe_text("stdout"), described.links.fds[1]);
  EXPECT_EQ(described.exec.maybe_text("stderr"), described.links.fds[2]);
}

void use_as(int fd, int number) {
  must(::dup2(fd, number), "dup2");
}

TEST_F(StdioTest, NotRecordedUnlessRequested) {
  Described described = describe([] {}, self_path());
  for (const char* key : {"stdin", "stdout", "stderr", "env"}) {
    EXPECT_TRUE(described.exec.is_null(key)) << key;
  }
}

TEST_F(StdioTest, FilesPipesAndSockets) {
  ScratchDir scratch;
  Described described = describe(
      [&] {
        use_as(::open((scratch / "in put").c_str(), O_RDWR | O_CREAT, 0600), 0);
        int fds[2];
        must(::pipe(fds), "pipe");
        use_as(fds[1], 1);
        must(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
        use_as(fds[0], 2);
      },
      self_path(), {"--stdio"});
  expect_fds(described);
  EXPECT_EQ(described.exec.text("stdin"), scratch / "in put");
  EXPECT_EQ(described.exec.text("stdout").substr(0, 6), "pipe:[");
  EXPECT_EQ(described.exec.text("stderr").substr(0, 8), "socket:[");
}

TEST_F(StdioTest, ClosedOnesAreNull) {
  Described described = describe(
      [] {
        ::close(0);
        ::close(2);
      },
      self_path(), {"--stdio"});
  expect_fds(described);
  EXPECT_TRUE(described.exec.is_null("stdin"));
  EXPECT_FALSE(described.exec.is_null("stdout"));
}

TEST_F(StdioTest, TheyAreThoseOfTheNewProgram) {
  Described described = describe(
      [] {
        int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        must(::dup3(null, 0, O_CLOEXEC), "dup3");
        use_as(null, 1);
      },
      self_path(), {"--stdio"});
  expect_fds(described);
  EXPECT_TRUE(described.exec.is_null("stdin")) << "closed by execve()";
  EXPECT_EQ(described.exec.text("stdout"), "/dev/null");
}

TEST_F(StdioTest, TerminalAndDirectory) {
  int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(master, 0);
  ASSERT_EQ(::unlockpt(master), 0);
  char name[64];
  ASSERT_EQ(::ptsname_r(master, name, sizeof name), 0);
  Described described = describe(
      [&] {
        use_as(::open(name, O_RDWR | O_NOCTTY), 0);
        use_as(::open("/", O_RDONLY | O_DIRECTORY), 1);
        use_as(::open("/proc", O_PATH), 2);
      },
      self_path(), {"--stdio"});
  ::close(master);
  expect_fds(described);
  EXPECT_EQ(described.exec.text("stdin"), name);
  EXPECT_EQ(described.exec.text("stdout"), "/");
}

TEST_F(StdioTest, RemovedFileMemoryAndAnonymousInodes) {
  ScratchDir scratch;
  Described described = describe(
      [&] {
        use_as(::open((scratch / "gone").c_str(), O_RDWR | O_CREAT, 0600), 0);
        must(::unlink((scratch / "gone").c_str()), "unlink");
        use_as(static_cast<int>(::syscall(SYS_memfd_create, "memory", 0U)), 1);
        use_as(::eventfd(0, 0), 2);
      },
      self_path(), {"--stdio"});
  expect_fds(described);
  EXPECT_EQ(described.exec.text("stdin"), (scratch / "gone") + " (deleted)");
  EXPECT_EQ(described.exec.text("stdout"), "/memfd:memory (deleted)");
  EXPECT_EQ(described.exec.text("stderr"), "anon_inode:[eventfd]");
}

TEST_F(StdioTest, Pidfd) {
  Described described =
      describe([] { use_as(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)), 0); },
               self_path(), {"--stdio"});
  expect_fds(described);
  EXPECT_EQ(described.exec.text("stdin"), "anon_inode:[pidfd]");
}

TEST_F(StdioTest, FileFromOutsideTheRoot) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can change the root directory";
  }
  ScratchDir scratch;
  copy_self(scratch / "program");
  Described described = describe(
      [&] {
        use_as(::open("/dev/null", O_RDWR), 0);
        must(::chroot(scratch.path().c_str()), "chroot");
        must(::chdir("/"), "chdir");
      },
      "/program", {"--stdio"});
  expect_fds(described);
  EXPECT_EQ(described.exec.text("stdin"), "/dev/null");
}

using Strings = std::vector<std::string>;

class EnvTest : public TracingTest {
 protected:
  // Returns the exec record that bpftrap with these options writes of a program with this
  // environment.
  static Record executed(const Strings& options, const Strings& environment) {
    Strings command{"exec", "--json"};
    command.insert(command.end(), options.begin(), options.end());
    Bpftrap bpftrap(command);
    bpftrap.await_start();
    Ended process = Child([&] {
                      Strings strings = environment;
                      std::vector<char*> envp;
                      for (std::string& string : strings) {
                        envp.push_back(string.data());
                      }
                      envp.push_back(nullptr);
                      ExecStrings argv({self_path(), "--workload", "nothing"}, "");
                      ::execve(self_path().c_str(), argv.argv(), envp.data());
                      return 127;
                    }).wait();
    EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
    EXPECT_EQ(process.status, 0);
    return bpftrap.record_of(process, "exec");
  }
};

const Strings few{"PATH=/bin:/usr/bin",
                  "LD_PRELOAD=/tmp/x.so",
                  "TOKEN=secret",
                  "LD_BIND_NOW=",
                  "no equals sign",
                  "PATHS=x",
                  "=PATH",
                  ""};

TEST_F(EnvTest, OnlyMatchingNames) {
  EXPECT_EQ(executed({"--env", "PATH"}, few).strings("env"), Strings{"PATH=/bin:/usr/bin"});
  EXPECT_EQ(executed({"--env", "LD_*", "--env", "PATH?"}, few).strings("env"),
            (Strings{"LD_PRELOAD=/tmp/x.so", "LD_BIND_NOW=", "PATHS=x"}));
  EXPECT_EQ(executed({"--env", "*O*"}, few).strings("env"),
            (Strings{"LD_PRELOAD=/tmp/x.so", "TOKEN=secret", "LD_BIND_NOW="}));
  EXPECT_EQ(executed({"--env", "NOT_THERE"}, few).strings("env"), Strings{});
  EXPECT_EQ(executed({"--env", "*"}, {}).strings("env"), Strings{});
}

TEST_F(EnvTest, AllOfThem) {
  EXPECT_EQ(executed({"--env", "*"}, few).strings("env"), few);
}

TEST_F(EnvTest, ValuesOf8KiBAreWholeAndLongerOnesAreCut) {
  std::string value(8192, 'v');
  Strings recorded = executed({"--env", "*"}, {"A=1", "LONG_NAME=" + value,
                                               "TOO_LONG=" + value + value + value, "B=2"})
                         .strings("env");
  ASSERT_EQ(recorded.size(), 4U);
  EXPECT_EQ(recorded[1], "LONG_NAME=" + value);
  EXPECT_EQ(recorded[2], ("TOO_LONG=" + value + value).substr(0, 8447));
  EXPECT_EQ(recorded[3], "B=2");
}

TEST_F(EnvTest, StringsOfEachSizeAroundTheLimitEndWhereTheyShould) {
  for (std::size_t size : {8446U, 8447U, 8448U, 2 * 8447U, 2 * 8447U + 1}) {
    std::string string = "A=" + std::string(size - 2, 'x');
    EXPECT_EQ(executed({"--env", "*"}, {string, "B=2"}).strings("env"),
              (Strings{string.substr(0, 8447), "B=2"}))
        << size;
  }
}

TEST_F(EnvTest, UpTo64KiBInAll) {
  // 63 strings of 1 KiB with their NUL, then one with which there are 64 KiB, or a byte less or
  // more.
  Strings kept(63, "V=" + std::string(1021, 'v'));
  for (std::size_t size : {1022U, 1023U, 1024U}) {
    Strings environment = kept;
    environment.push_back("L=" + std::string(size - 2, 'l'));
    Strings expected = size <= 1023 ? environment : kept;
    environment.insert(environment.end(), 100, "AFTER=" + std::string(1000, 'a'));
    EXPECT_EQ(executed({"--env", "*"}, environment).strings("env"), expected) << size;
  }
}

TEST_F(EnvTest, AmongTheFirst4096) {
  std::string cut = "LONG=" + std::string(100'000, 'x');  // takes several reads
  for (std::size_t before : {4094U, 4095U, 4096U}) {
    Strings environment(before - 10, "OTHER=");
    environment.insert(environment.end(), 10, cut);
    environment.push_back("V=1");
    EXPECT_EQ(executed({"--env", "V"}, environment).strings("env"),
              before < 4096 ? Strings{"V=1"} : Strings{})
        << before;
  }
}

TEST_F(EnvTest, MatchesAmongThousands) {
  Strings environment;
  for (int i = 0; i < 4000; ++i) {
    environment.push_back("V" + std::to_string(i) + "=");
  }
  EXPECT_EQ(executed({"--env", "V3999"}, environment).strings("env"), Strings{"V3999="});
}

TEST_F(EnvTest, OtherVariablesAreNotInTheOutput) {
  Bpftrap bpftrap({"exec", "--json", "--stdio", "--env", "PATH"});
  bpftrap.await_start();
  Ended process = Child([] {
                    ::setenv("E2E_SECRET", "hunter2hunter2", 1);
                    ExecStrings argv({self_path(), "--workload", "nothing"}, "");
                    ::execve(self_path().c_str(), argv.argv(), environ);
                    return 127;
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(process, "exec").size(), 1U);
  EXPECT_EQ(bpftrap.output().find("hunter2hunter2"), std::string::npos);
}

}  // namespace
}  // namespace e2e
