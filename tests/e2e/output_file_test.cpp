// SPDX-License-Identifier: GPL-2.0-only
// Unusual outputs: closed descriptors, FIFOs, full disks, files of other users.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;
using OutputFileTest = TracingTest;

Bpftrap::Setup without(const std::vector<int>& descriptors) {
  Bpftrap::Setup setup;
  setup.before_exec = [descriptors] {
    for (int fd : descriptors) {
      ::close(fd);
    }
    for (int fd = 3; fd < 1024; ++fd) {
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // descriptors that the tests inherited
    }
  };
  return setup;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(OutputFileTest, ClosedStandardOutputIsStatus1AndOneMessage) {
  for (const char* command : {"exec", "exit", "hello"}) {
    Outcome outcome = run_bpftrap({command, "--json", "--timeout", "10"}, without({0, 1}));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.errors,
              "bpftrap: standard output is closed; open it, or write to a file with --output "
              "FILE\n");
  }
  EXPECT_EQ(run_bpftrap({"exec", "--timeout", "10"}, without({0, 1, 2})).status, 1);
}

TEST_F(OutputFileTest, NothingElseTakesThePlaceOfAClosedStream) {
  ScratchDir scratch;
  std::string path = scratch / "records";
  Bpftrap bpftrap({"exec", "--json", "--output", path, "--verbose"}, without({0, 1, 2}));
  for (int i = 0; i < 10'000 && text_of(path).find('\n') == std::string::npos; ++i) {
    sleep_for(1ms);
  }
  for (const char* fd : {"0", "1", "2"}) {
    char target[64] = {};
    std::string link = "/proc/" + std::to_string(bpftrap.pid()) + "/fd/" + fd;
    EXPECT_GT(::readlink(link.c_str(), target, sizeof target - 1), 0);
    EXPECT_STREQ(target, "/dev/null");
  }
  bpftrap.stop();
  std::vector<std::string> lines = lines_of_file(path);
  ASSERT_GE(lines.size(), 2U);
  for (const std::string& line : lines) {
    Record::parse(line);  // throws if a message of --verbose is in the output
  }
  EXPECT_EQ(Record::parse(lines.back()).kind(), "stop");
}

TEST_F(OutputFileTest, ProgramHasTheDescriptorsThatBpftrapWasStartedWith) {
  ScratchDir scratch;
  Bpftrap bpftrap({"exec", "--json", "--output", scratch / "records", "--", self_path(),
                   "--workload", "say-state"},
                  without({0}));
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.errors().rfind("descriptors 1 2\n", 0), 0U) << bpftrap.errors();
}

TEST_F(OutputFileTest, FifoWithoutReaderIsToldOfAndLeftBySignals) {
  ScratchDir scratch;
  std::string fifo = scratch / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (int signal : {SIGINT, SIGTERM}) {
    Bpftrap bpftrap({"exec", "--json", "--output", fifo});
    for (int i = 0; i < 10'000 && bpftrap.errors().empty(); ++i) {
      sleep_for(1ms);
    }
    EXPECT_EQ(bpftrap.errors(),
              "bpftrap: waiting for somebody to read '" + fifo + "' (--output)\n");
    std::uint64_t asked = boot_ns_now();
    EXPECT_EQ(bpftrap.stop(signal), 0);
    EXPECT_LE(boot_ns_now() - asked, 5'000'000'000U);
    EXPECT_NE(bpftrap.errors().find("\nbpftrap: stopped before anybody read '" + fifo),
              std::string::npos)
        << bpftrap.errors();
  }
  Outcome outcome = run_bpftrap({"exec", "--output", fifo, "--timeout", "100ms"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("\nbpftrap: nobody reads '" + fifo), std::string::npos)
      << outcome.errors;
}

TEST_F(OutputFileTest, ProgramIsNotRunWhereNobodyReadsTheFifo) {
  ScratchDir scratch;
  std::string fifo = scratch / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Bpftrap bpftrap({"exec", "--output", fifo, "--", self_path(), "--workload", "say", "word"});
  for (int i = 0; i < 10'000 && bpftrap.errors().empty(); ++i) {
    sleep_for(1ms);
  }
  EXPECT_EQ(bpftrap.stop(SIGTERM), 125);
  EXPECT_EQ(bpftrap.output(), "");
  EXPECT_EQ(bpftrap.errors(), "bpftrap: waiting for somebody to read '" + fifo +
                                  "' (--output)\nbpftrap: stopped before anybody read '" + fifo +
                                  "' (--output)\nbpftrap: did not start '" + self_path() + "'\n");
}

TEST_F(OutputFileTest, FifoIsWrittenOnceItIsRead) {
  ScratchDir scratch;
  std::string fifo = scratch / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Bpftrap bpftrap({"hello", "--json", "--output", fifo, "--count", "1"});
  sleep_for(120ms);
  std::vector<std::string> lines = lines_of_file(fifo);
  EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(Record::parse(lines.back()).kind(), "stop");
}

TEST_F(OutputFileTest, DiskThatGetsFullIsStatus1AndOneMessage) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a small file system";
  }
  ScratchDir scratch;
  std::string path = scratch / "records";
  // The mount ends with bpftrap's mount namespace. The test reads the file through a descriptor.
  Bpftrap::Setup setup;
  setup.before_exec = [&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
      ::_exit(77);
    }
  };
  setup.may_lose = true;
  // The records of other processes may be long.
  Bpftrap bpftrap({"exec", "--json", "--output", path, "--tree", std::to_string(::getpid())},
                  setup);
  std::string seen = "/proc/" + std::to_string(bpftrap.pid()) + "/root" + path;
  for (int i = 0; i < 10'000 && text_of(seen).find('\n') == std::string::npos; ++i) {
    sleep_for(1ms);
  }
  int file = ::open(seen.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  // Two records of about 500 bytes each.
  for (int i = 0; i < 200; ++i) {
    run_workload({"nothing"});
  }
  EXPECT_EQ(bpftrap.wait(), 1);
  EXPECT_EQ(bpftrap.errors(), "bpftrap: cannot write to '" + path +
                                  "' (--output): No space left on device; all earlier records "
                                  "are written\n");
  std::string text(1 << 17, '\0');
  ssize_t size = ::pread(file, text.data(), text.size(), 0);
  ASSERT_GT(size, 60'000);
  text.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(text.back(), '\n') << "whole records";
  ::close(file);
}

TEST_F(OutputFileTest, LimitOfTheFileSizeEndsItLikeAFullDisk) {
  ScratchDir scratch;
  std::string path = scratch / "records";
  Bpftrap bpftrap({"exec", "--json", "--output", path, "--tree", std::to_string(::getpid())},
                  {.may_lose = true});
  for (int i = 0; i < 10'000 && text_of(path).find('\n') == std::string::npos; ++i) {
    sleep_for(1ms);
  }
  constexpr rlim_t most = 20'000;
  rlimit limit{most, most};
  ASSERT_EQ(::prlimit(bpftrap.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  for (int i = 0; i < 60; ++i) {
    run_workload({"nothing"});
  }
  EXPECT_EQ(bpftrap.wait(), 1);
  EXPECT_EQ(bpftrap.errors(), "bpftrap: cannot write to '" + path +
                                  "' (--output): File too large; all earlier records are "
                                  "written\n");
  std::string text = text_of(path);
  EXPECT_GT(text.size(), most / 2);
  EXPECT_LE(text.size(), most);
  EXPECT_EQ(text.back(), '\n') << "whole records";
}

TEST_F(OutputFileTest, ProgramIsKilledByTheLimitOfTheFileSizeAsEver) {
  ScratchDir scratch;
  Bpftrap bpftrap({"exec", "--json", "--output", scratch / "records", "--", "/bin/sh", "-c",
                   "ulimit -f 1; head -c 100000 /dev/zero > " + (scratch / "zeros")});
  EXPECT_EQ(bpftrap.wait(), 128 + SIGXFSZ);
}

TEST_F(OutputFileTest, AppendKeepsWhatTheFileHeld) {
  ScratchDir scratch;
  std::string path = scratch / "records";
  std::ofstream(path) << "first\nhalf a li";
  Words quiet{"exec", "--json", "--output", path, "--append", "--timeout", "1ms", "--user", "4242"};
  EXPECT_EQ(run_bpftrap(quiet).status, 0);
  EXPECT_EQ(run_bpftrap(quiet).status, 0);
  std::vector<std::string> lines = lines_of_file(path);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], "first");
  EXPECT_EQ(lines[1], "half a li");
  for (std::size_t i : {2U, 4U}) {
    EXPECT_EQ(Record::parse(lines[i]).kind(), "start");
    EXPECT_EQ(Record::parse(lines[i + 1]).kind(), "stop");
  }
  Outcome outcome = run_bpftrap({"exec", "--append"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.errors.find("--append: there is no file; expected --output FILE"),
            std::string::npos)
      << outcome.errors;
}

TEST_F(OutputFileTest, OtherWritersOfTheFileLoseNothing) {
  ScratchDir scratch;
  std::string path = scratch / "records";
  Bpftrap bpftrap({"exec", "--json", "--output", path, "--", "/bin/sh", "-c",
                   "for i in 1 2 3 4 5 6 7 8 9; do /bin/echo mine >> " + path + "; done"});
  EXPECT_EQ(bpftrap.wait(), 0);
  std::vector<std::string> lines = lines_of_file(path);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "mine"), 9);
  std::uint64_t records = 0;
  for (const std::string& line : lines) {
    if (line != "mine") {
      std::string kind = Record::parse(line).kind();
      records += kind == "exec" || kind == "exit" ? 1 : 0;
    }
  }
  EXPECT_EQ(records, Record::parse(lines.back()).number("records"));
}

TEST_F(OutputFileTest, SomebodyElsesLinkInAStickyDirectoryIsRefused) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can create links of other users";
  }
  ScratchDir scratch;
  std::string shared = scratch / "shared";
  ASSERT_EQ(::mkdir(shared.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(shared.c_str(), 01777), 0);
  std::string target = scratch / "precious";
  std::ofstream(target) << "precious\n";
  std::string link = shared + "/link";
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  ASSERT_EQ(::lchown(link.c_str(), 54321, 54321), 0);
  Outcome outcome = run_bpftrap({"exec", "--output", link, "--timeout", "10"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors, "bpftrap: refuse to write to '" + link +
                                "' (--output); the link 'link' in a sticky directory is another "
                                "user's: give another name, or remove it\n");
  EXPECT_EQ(text_of(target), "precious\n");
}

TEST_F(OutputFileTest, TwoThatAppendToOneFileWriteWholeLines) {
  ScratchDir scratch;
  const std::string path = scratch / "records";
  const Words command{
      "exec", "--json", "--output", path, "--append", "--tree", std::to_string(::getpid())};
  auto await_lines = [&](std::size_t count) {
    for (int i = 0; i < 10'000 && lines_of_file(path).size() < count; ++i) {
      sleep_for(1ms);
    }
  };
  Bpftrap one(command), other(command);
  await_lines(2);
  constexpr std::size_t processes = 200;
  std::map<std::uint64_t, int> execs;
  for (std::size_t i = 0; i < processes; ++i) {
    execs[static_cast<std::uint64_t>(run_workload({"nothing"}).pid)] = 0;
  }
  await_lines(2 + 4 * processes);
  EXPECT_EQ(one.stop(), 0);
  EXPECT_EQ(other.stop(), 0);
  for (const std::string& line : lines_of_file(path)) {
    Record record = Record::parse(line);  // throws if it is not whole
    if (record.kind() == "exec" && execs.count(record.number("pid")) != 0) {
      ++execs[record.number("pid")];
    }
  }
  for (const auto& [pid, count] : execs) {
    EXPECT_EQ(count, 2) << pid;
  }
}

}  // namespace
}  // namespace e2e
