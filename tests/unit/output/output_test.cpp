// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "core/os/error.h"
#include "core/os/file.h"
#include "core/os/signals.h"
#include "core/output/output_file.h"

namespace bpftrap {
namespace {

std::string temp(const char* name) {
  return testing::TempDir() + "bpftrap-output-" + name + std::to_string(::getpid());
}

TEST(Output, AFileForItsOwnerOnly) {
  std::string path = temp("file");
  ::unlink(path.c_str());
  Output output(open_output_file(path), path);
  output.buffer() += "line\n";
  output.flush();
  output.close();
  EXPECT_EQ(read_file(path), "line\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ::unlink(path.c_str());
}

TEST(Output, AnErrorNamesTheFile) {
  try {
    open_output_file("/nonexistent/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("'/nonexistent/file'"), std::string::npos) << error.message();
  }
}

TEST(Output, AFullDiskIsAnError) {
  Output output(open_output_file("/dev/full"), "/dev/full");
  output.buffer() += "line\n";
  EXPECT_THROW(output.flush(), Error);
}

class Fifo : public testing::Test {
 protected:
  void SetUp() override {
    path_ = temp("fifo");
    ::unlink(path_.c_str());
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    reader_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  std::string path_;
  UniqueFd reader_;
};

TEST_F(Fifo, WhatTheReaderDoesNotTakeWaits) {
  Output output(open_output_file(path_), path_);
  std::string sent;
  for (int i = 0; i < 50'000; ++i) {
    sent += std::to_string(i) + '\n';
  }
  output.buffer() += sent;
  output.flush();
  EXPECT_GT(output.waiting(), 0U);
  std::string received;
  while (received.size() < sent.size()) {
    char buffer[10'000];
    ssize_t count = ::read(reader_.get(), buffer, sizeof buffer);
    ASSERT_GT(count, 0);
    received.append(buffer, static_cast<std::size_t>(count));
    output.flush();
  }
  EXPECT_EQ(received, sent);
  EXPECT_EQ(output.waiting(), 0U);
}

TEST_F(Fifo, AReaderThatIsGoneIsNoError) {
  Output output(open_output_file(path_), path_);
  reader_.reset();
  output.buffer() += "line\n";
  ASSERT_EQ(std::signal(SIGPIPE, SIG_IGN) == SIG_ERR, false);
  output.flush();
  EXPECT_TRUE(output.reader_gone());
  EXPECT_EQ(output.waiting(), 0U);
}

TEST_F(Fifo, FullIsSaid) {
  Output output(open_output_file(path_), path_);
  output.buffer().assign(Output::waiting_most + 1'000'000, 'x');
  EXPECT_TRUE(output.full());
}

// RLIMIT_FSIZE stands for a disk that is full after that many bytes.
class LimitedFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = temp("limited");
    ::unlink(path_.c_str());
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit limit{100'000, before_.rlim_max};
    std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  void TearDown() override {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::unlink(path_.c_str());
  }

  std::string path_;
  rlimit before_{};
};

TEST_F(LimitedFile, ABackgroundThreadLeavesWholeLines) {
  std::string sent;
  bool failed = false;
  {
    Output output(open_output_file(path_), path_);
    output.write_in_background([] {});
    StopSignals signals;
    Patience patience(signals);
    try {
      for (int i = 0; i < 30'000; ++i) {
        std::string line = std::to_string(i) + '\n';
        output.buffer() += line;
        sent += line;
        if (i % 100 == 0) {
          output.flush();
        }
      }
      output.drain(patience);
    } catch (const Error& error) {
      failed = true;
      EXPECT_NE(error.message().find(path_), std::string::npos) << error.message();
    }
  }
  EXPECT_TRUE(failed);
  std::string written = read_file(path_).value_or("");
  EXPECT_GT(written.size(), 99'900U);
  EXPECT_EQ(written.back(), '\n');
  EXPECT_EQ(written, sent.substr(0, written.size()));
}

TEST_F(LimitedFile, ABackgroundThreadWritesAllBeforeTheEnd) {
  std::string sent;
  Output output(open_output_file(path_), path_);
  output.write_in_background([] {});
  for (int i = 0; i < 10'000; ++i) {
    std::string line = std::to_string(i) + '\n';
    output.buffer() += line;
    sent += line;
    output.flush();
  }
  StopSignals signals;
  Patience patience(signals);
  EXPECT_TRUE(output.drain(patience));
  EXPECT_EQ(output.waiting(), 0U);
  EXPECT_EQ(read_file(path_), sent);
  output.close();
}

}  // namespace
}  // namespace bpftrap
