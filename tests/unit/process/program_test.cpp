// SPDX-License-Identifier: GPL-2.0-only
// core/process/program.h: the gate, the exit status, and what PROGRAM inherits.
#include "core/process/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/os/caller.h"
#include "core/os/error.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Redirects standard output and standard error of this process, and of programs that it starts, to
// files.
class Capture {
 public:
  explicit Capture(const std::string& directory)
      : out_(STDOUT_FILENO, directory + "/out"), err_(STDERR_FILENO, directory + "/err") {}

  std::string out() const { return read_all(out_.path); }
  std::string err() const { return read_all(err_.path); }

 private:
  struct Stream {
    Stream(int number, std::string file) : path(std::move(file)), fd(number) {
      std::fflush(nullptr);
      saved = UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
      UniqueFd target(
          ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
      ::dup2(target.get(), fd);
    }
    ~Stream() {
      std::fflush(nullptr);
      ::dup2(saved.get(), fd);
    }
    std::string path;
    int fd;
    UniqueFd saved;
  };

  Stream out_;
  Stream err_;
};

class ProgramTest : public testing::Test {
 public:
  ProgramTest() {
    std::string name = std::filesystem::temp_directory_path() / "bpftrap-program-test.XXXXXX";
    directory_ = ::mkdtemp(name.data());
    for (const char* variable : {"PATH", "HOME"}) {
      if (const char* value = std::getenv(variable)) {
        saved_[variable] = value;
      }
    }
  }
  ~ProgramTest() override {
    for (const char* variable : {"PATH", "HOME"}) {
      ::unsetenv(variable);
    }
    for (const auto& [variable, value] : saved_) {
      ::setenv(variable.c_str(), value.c_str(), 1);
    }
    std::filesystem::remove_all(directory_);
  }

 protected:
  struct Result {
    int status;
    std::string out;
    std::string err;
  };

  Result run(std::vector<std::string> argv, bool stdout_to_stderr = false,
             std::optional<Caller> caller = {}) {
    Capture capture(directory_);
    Program program({std::move(argv), stdout_to_stderr, std::move(caller)});
    program.release();
    int status = program.exit_status();
    return {status, capture.out(), capture.err()};
  }

  Result shell(const std::string& script) { return run({"/bin/sh", "-c", script}); }

  // Writes a file into the directory and returns its path.
  std::string write(const std::string& name, const std::string& text, bool executable = false) {
    std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), executable ? 0755 : 0644);
    return path;
  }

  std::string directory_;

 private:
  std::map<std::string, std::string> saved_;
};

TEST_F(ProgramTest, ExitStatus) {
  EXPECT_EQ(run({"true"}).status, 0);
  EXPECT_EQ(shell("exit 7").status, 7);
  EXPECT_EQ(shell("kill -9 $$").status, 128 + 9);
  EXPECT_EQ(shell("kill -TERM $$").status, 128 + 15);
}

TEST_F(ProgramTest, NotFound) {
  for (const std::string name : {"bpftrap-no-such-program", "/no/such/program", ""}) {
    Result result = run({name});
    EXPECT_EQ(result.status, 127);
    EXPECT_EQ(result.err, "bpftrap: cannot execute '" + name + "': No such file or directory\n");
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(ProgramTest, CannotBeExecuted) {
  std::string file = write("plain", "no program");
  for (const std::string& name : {file, directory_}) {
    Result result = run({name});
    EXPECT_EQ(result.status, 126);
    EXPECT_EQ(result.err, "bpftrap: cannot execute '" + name + "': Permission denied\n");
  }
}

TEST_F(ProgramTest, SearchesPath) {
  std::filesystem::create_directories(directory_ + "/1/tool");  // a directory is not a program
  std::filesystem::create_directories(directory_ + "/2");
  std::filesystem::create_directories(directory_ + "/3");
  write("2/tool", "#!/bin/sh\nexit 2\n");
  write("2/only", "");
  write("3/tool", "#!/bin/sh\nexit 3\n", true);
  write("3/script", "exit $1\n", true);  // without #!
  std::string path =
      directory_ + "/none:" + directory_ + "/1:" + directory_ + "/2:" + directory_ + "/3";
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(run({"tool"}).status, 3);
  EXPECT_EQ(run({"script", "42"}).status, 42) << "the shell runs a script without #!";
  EXPECT_EQ(run({"only"}).status, 126);
  EXPECT_EQ(run({"none"}).status, 127);
  write("3/broken", "#!/no/such/interpreter\n", true);
  EXPECT_EQ(run({"broken"}).status, 127);
  ::unsetenv("PATH");
  EXPECT_EQ(run({"sh", "-c", "exit 5"}).status, 5) << "an unset PATH has a default";
}

TEST_F(ProgramTest, AnEmptyPathElementIsTheWorkingDirectory) {
  write("here", "#!/bin/sh\nexit 4\n", true);
  auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  for (const char* path : {"", ":/none", "/none:", "/none::/none"}) {
    ::setenv("PATH", path, 1);
    EXPECT_EQ(run({"here"}).status, 4) << '"' << path << '"';
  }
  std::filesystem::current_path(before);
}

TEST_F(ProgramTest, KeepsArgumentsAndEnvironment) {
  ::setenv("HOME", "/some where", 1);
  EXPECT_EQ(run({"/bin/sh", "-c", "printf '<%s>' \"$0\" \"$@\" \"$HOME\"", "a b", "", "*"}).out,
            "<a b><><*></some where>");
}

TEST_F(ProgramTest, WaitsAtTheGate) {
  std::string file = directory_ + "/ran";
  Program program({{"touch", file}, false});
  EXPECT_GT(program.pid(), 0);
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(program.ended());
  EXPECT_FALSE(std::filesystem::exists(file));
  pollfd end{program.pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 0), 0);
  program.release();
  EXPECT_EQ(::poll(&end, 1, 10'000), 1);
  EXPECT_TRUE(program.ended());
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_EQ(program.exit_status(), 0);
  EXPECT_EQ(program.exit_status(), 0) << "again";
  EXPECT_FALSE(program.signal(SIGTERM)) << "PROGRAM has ended";
}

TEST_F(ProgramTest, KeepsItsPid) {
  Capture capture(directory_);
  Program program({{"/bin/sh", "-c", "echo $$ $PPID"}, false});
  program.release();
  EXPECT_EQ(program.exit_status(), 0);
  EXPECT_EQ(capture.out(), std::to_string(program.pid()) + " " + std::to_string(::getpid()) + "\n");
}

TEST_F(ProgramTest, UnreleasedItIsKilledAndWaitedFor) {
  std::string file = directory_ + "/ran";
  pid_t pid = 0;
  {
    Program program({{"touch", file}, false});
    pid = program.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(ProgramTest, EndsWhereBpftrapDiesBeforeTheRelease) {
  std::string file = directory_ + "/ran";
  int told[2];
  ASSERT_EQ(::pipe(told), 0);  // PROGRAM inherits it, so its end closes the pipe
  pid_t bpftrap = ::fork();
  if (bpftrap == 0) {
    Program program({{"touch", file}, false});
    ::raise(SIGKILL);
  }
  ::close(told[1]);
  ::waitpid(bpftrap, nullptr, 0);
  pollfd end{told[0], POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 10'000), 1) << "the child still waits";
  ::close(told[0]);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(ProgramTest, Signals) {
  Program program({{"sleep", "60"}, false});
  program.release();
  EXPECT_FALSE(program.ended());
  EXPECT_TRUE(program.signal(SIGTERM));
  EXPECT_EQ(program.exit_status(), 128 + 15);
}

TEST_F(ProgramTest, ASignalReachesAStoppedProgram) {
  Program program({{"sleep", "60"}, false});
  program.release();
  ::kill(program.pid(), SIGSTOP);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(program.pid()), &info, WSTOPPED), 0);
  EXPECT_FALSE(program.ended()) << "a stopped process has not ended";
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_status(), 128 + 15);
}

TEST_F(ProgramTest, ASignalAtTheGateEndsIt) {
  Program program({{"true"}, false});
  program.signal(SIGINT);
  pollfd end{program.pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 10'000), 1);
  program.release();  // must not raise SIGPIPE
  EXPECT_EQ(program.exit_status(), 128 + 2);
}

TEST_F(ProgramTest, StandardOutput) {
  Result kept = run({"echo", "text"});
  EXPECT_EQ(kept.out, "text\n");
  EXPECT_EQ(kept.err, "");
  Result moved = run({"echo", "text"}, true);
  EXPECT_EQ(moved.out, "");
  EXPECT_EQ(moved.err, "text\n");
}

TEST_F(ProgramTest, WithoutStandardErrorItsOutputIsNotTheTraces) {
  Capture capture(directory_);
  ::close(STDERR_FILENO);
  Program program({{"/bin/sh", "-c", "[ -e /proc/$$/fd/1 ] || [ -e /proc/$$/fd/2 ]"}, true});
  program.release();
  EXPECT_EQ(program.exit_status(), 1) << "both descriptors are closed";
}

// Restores a signal disposition.
class Disposition {
 public:
  Disposition(int number, void (*handler)(int)) : number_(number) {
    before_ = std::signal(number, handler);
  }
  ~Disposition() { std::signal(number_, before_); }

 private:
  int number_;
  void (*before_)(int);
};

std::string masks(const std::string& status, const std::string& key) {
  const std::size_t at = status.find(key + ":\t");
  return at == std::string::npos ? "none" : status.substr(at + key.size() + 2, 16);
}

TEST_F(ProgramTest, SignalsAreAtTheirDefaults) {
  Disposition hangup(SIGHUP, SIG_DFL);
  Disposition interrupt(SIGINT, SIG_IGN);
  Disposition pipe(SIGPIPE, SIG_IGN);
  Disposition real_time(SIGRTMAX, SIG_IGN);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  Result result = run({"cat", "/proc/self/status"});
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(masks(result.out, "SigBlk"), "0000000000000000");
  EXPECT_EQ(masks(result.out, "SigIgn"), "0000000000000000");
}

TEST_F(ProgramTest, NohupsHangupStaysIgnored) {
  Disposition hangup(SIGHUP, SIG_IGN);
  EXPECT_EQ(masks(run({"cat", "/proc/self/status"}).out, "SigIgn"), "0000000000000001");
}

TEST_F(ProgramTest, AnIgnoredSigchldCostsNoStatus) {
  Disposition child(SIGCHLD, SIG_IGN);
  EXPECT_EQ(shell("exit 7").status, 7);
}

TEST_F(ProgramTest, HasOnlyInheritedDescriptors) {
  std::set<int> expected;
  for (int fd = 0; fd < 1024; ++fd) {
    int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
      expected.insert(fd);
    }
  }
  Program other({{"true"}, false});  // holds a gate and a pidfd
  std::istringstream lines(run({"ls", "/proc/self/fd"}).out);
  std::set<int> found{std::istream_iterator<int>(lines), {}};
  // One of the descriptors is the directory that ls reads: the lowest free number.
  int own = 0;
  while (expected.contains(own)) {
    ++own;
  }
  EXPECT_EQ(found.erase(own), 1U);
  EXPECT_EQ(found, expected);
}

TEST_F(ProgramTest, RunsAsItsCallerWithThatEnvironmentAlone) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "takes root";
  }
  ::setenv("OF_BPFTRAP", "1", 1);
  Caller caller{65534, 65533, "nobody", {65533, 7}, {"PATH=/bin:/usr/bin", "A=b"}, true};
  Result result = run({"sh", "-c",
                       "id -u; id -G; env | grep -v -e ^PWD= -e ^_= | sort; grep -E "
                       "'^(Uid|CapEff)' /proc/self/status"},
                      false, caller);
  ::unsetenv("OF_BPFTRAP");
  EXPECT_EQ(result.out,
            "65534\n65533 7\nA=b\nPATH=/bin:/usr/bin\n"
            "Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000000000\n")
      << result.err;
}

TEST_F(ProgramTest, IsLookedForInThePathOfItsCaller) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "takes root";
  }
  ::chmod(directory_.c_str(), 0755);
  write("tool", "#!/bin/sh\nexit 5\n", true);
  Caller caller{65534, 65534, "nobody", {65534}, {"PATH=" + directory_}, true};
  EXPECT_EQ(run({"tool"}, false, caller).status, 5);
  const std::string failure = "bpftrap: cannot execute 'tool': No such file or directory";
  caller.environment = {"PATH=/bin"};
  Result result = run({"tool"}, false, caller);
  EXPECT_EQ(result.status, 127);
  EXPECT_EQ(result.err, failure + "\n");
  caller.environment_received = false;
  EXPECT_EQ(run({"tool"}, false, caller).err,
            failure + "; sudo may have reset PATH: give the program's path\n");
}

}  // namespace
}  // namespace bpftrap
