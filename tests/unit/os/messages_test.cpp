// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/messages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "core/os/unique_fd.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Standard error is a pipe that holds some 4 KiB.
class MessagesTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_ = UniqueFd(ends[0]);
    UniqueFd writer(ends[1]);
    ::fcntl(writer.get(), F_SETPIPE_SZ, 4096);
    ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    saved_ = UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    ::dup2(writer.get(), STDERR_FILENO);
  }
  void TearDown() override {
    drop_messages();
    ::dup2(saved_.get(), STDERR_FILENO);
    open_messages();
  }

  std::string take() {
    std::string text(std::size_t{1} << 20, '\0');
    ssize_t size = ::read(reader_.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
  }
  static std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += std::string(99, 'x') + '\n';
    }
    return text;
  }

  UniqueFd reader_, saved_;
};

TEST_F(MessagesTest, AReaderThatStallsDelaysNobodyAndGetsAllLater) {
  const std::string text = lines(300);
  write_message(text);
  EXPECT_TRUE(messages_wait());
  std::string received;
  for (int i = 0; i < 1000 && messages_wait(); ++i) {
    received += take();
    flush_messages();
  }
  EXPECT_EQ(received + take(), text);
}

TEST_F(MessagesTest, TheEndWaitsForAReaderThatStalls) {
  write_message(lines(300));
  Clock::time_point begin = Clock::now();
  drain_messages(200ms);
  EXPECT_GE(Clock::now() - begin, 200ms);
  EXPECT_TRUE(messages_wait());
}

// The reader takes a page in 20 ms, so 1 MiB would take five seconds.
TEST_F(MessagesTest, TheEndWaitsForAReaderThatIsSlowAsLong) {
  write_message(lines(10'000));
  std::atomic<bool> ended = false;
  std::thread reader([&] {
    while (!ended) {
      char page[4096];
      [[maybe_unused]] ssize_t size = ::read(reader_.get(), page, sizeof page);
      std::this_thread::sleep_for(20ms);
    }
  });
  Clock::time_point begin = Clock::now();
  drain_messages(200ms);
  auto waited = Clock::now() - begin;
  ended = true;
  reader.join();
  EXPECT_GE(waited, 200ms);
  EXPECT_LE(waited, 2s);
}

TEST_F(MessagesTest, TextBeyondTheBoundIsCounted) {
  write_message(lines(10'000));
  write_message(lines(5'000));
  std::string received;
  for (int i = 0; i < 10'000 && messages_wait(); ++i) {
    received += take();
    flush_messages();
  }
  received += take();
  EXPECT_EQ(received, lines(10'000));
  write_message("next\n");
  EXPECT_EQ(take(),
            "bpftrap: 500000 bytes of messages were dropped, because standard error was blocked\n"
            "next\n");
}

}  // namespace
}  // namespace bpftrap
