// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap hello`: its message, through the ring buffer and the trace pipe.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using HelloTest = TracingTest;

std::string sentence(pid_t pid) {
  return "BPF triggered from PID " + std::to_string(pid) + ".";
}

std::string comm_of_bpftrap() {
  const std::string& path = Bpftrap::binary();
  return path.substr(path.rfind('/') + 1).substr(0, 15);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TEST_F(HelloTest, CountSentencesOfItsOwn) {
  Bpftrap bpftrap({"hello", "--json", "--interval", "50ms", "--count", "5"});
  std::uint64_t before = boot_ns_now();
  ASSERT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  const std::vector<Record>& records = bpftrap.records();
  ASSERT_EQ(records.size(), 7U);
  EXPECT_EQ(records.front().text("command"), "hello");
  EXPECT_EQ(records.back().number("records"), 5U);
  for (std::size_t i = 1; i <= 5; ++i) {
    const Record& hello = records[i];
    EXPECT_EQ(hello.kind(), "hello");
    EXPECT_EQ(hello.number("pid"), static_cast<std::uint64_t>(bpftrap.pid()));
    EXPECT_EQ(hello.text("comm"), comm_of_bpftrap());
    EXPECT_EQ(hello.text("message"), sentence(bpftrap.pid()));
    EXPECT_GE(hello.number("boot_ns"), before);
    EXPECT_LE(hello.number("boot_ns"), boot_ns_now());
  }
  for (std::size_t i = 1; i <= 5; ++i) {
    EXPECT_GE(records[i].number("boot_ns"), records[i - 1].number("boot_ns")) << i;
  }
  std::uint64_t took = records[5].number("boot_ns") - records[1].number("boot_ns");
  EXPECT_GE(took, 150'000'000U);
  EXPECT_LE(took, 2'000'000'000U);
  EXPECT_EQ(bpftrap.errors(), "");
}

TEST_F(HelloTest, DefaultIntervalIsASecond) {
  Bpftrap bpftrap({"hello", "--json", "--count", "2"});
  ASSERT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  ASSERT_EQ(bpftrap.records().size(), 4U);
  std::uint64_t took =
      bpftrap.records()[2].number("boot_ns") - bpftrap.records()[1].number("boot_ns");
  EXPECT_GE(took, 900'000'000U);
  EXPECT_LE(took, 5'000'000'000U);
}

TEST_F(HelloTest, TableIsForPeople) {
  Bpftrap bpftrap({"hello", "--count", "1"});
  ASSERT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  std::vector<std::string> lines = bpftrap.lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].rfind("TIME", 0), 0U);
  EXPECT_TRUE(ends_with(lines[0], "MESSAGE"));
  EXPECT_TRUE(ends_with(lines[1], sentence(bpftrap.pid())));
}

TEST_F(HelloTest, AnswersForAnotherProcessOnly) {
  Gate gate;
  Child writer([&] {
    int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    gate.wait();
    return exec_self({"write", "20"});
  });
  Bpftrap bpftrap({"hello", "--json", "--interval", "10ms", "--pid", std::to_string(writer.pid())});
  bpftrap.await_start();
  gate.open();
  Ended process = writer.wait();
  EXPECT_EQ(process.status, 0);
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records().size(), 22U);
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "hello") {
      EXPECT_EQ(record.number("pid"), static_cast<std::uint64_t>(process.pid));
      EXPECT_EQ(record.text("message"), sentence(process.pid));
    }
  }
}

std::size_t count_tracefs_mounts() {
  std::ifstream file("/proc/self/mounts");
  std::string text(std::istreambuf_iterator<char>(file), {});
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(" tracefs ", at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

TEST_F(HelloTest, TracePipeShowsTheKernelsLines) {
  std::size_t mounts = count_tracefs_mounts();
  Bpftrap bpftrap({"hello", "--trace-pipe", "--interval", "50ms", "--count", "2"});
  int status = bpftrap.wait();
  if (status == 1 && bpftrap.errors().find("another program reads it") != std::string::npos) {
    GTEST_SKIP() << "another program reads the trace pipe of this machine";
  }
  EXPECT_EQ(status, 0) << bpftrap.errors();
  std::vector<std::string> lines = bpftrap.lines();
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    // The kernel knows a name after it has switched tasks, which may be later.
    std::string pid = "-" + std::to_string(bpftrap.pid());
    EXPECT_TRUE(line.find(comm_of_bpftrap() + pid) != std::string::npos ||
                line.find("<...>" + pid) != std::string::npos)
        << line;
    EXPECT_TRUE(ends_with(line, "bpf_trace_printk: " + sentence(bpftrap.pid()))) << line;
  }
  EXPECT_EQ(count_tracefs_mounts(), mounts) << "bpftrap mounts tracefs privately";
}

}  // namespace
}  // namespace e2e
