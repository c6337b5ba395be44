// SPDX-License-Identifier: GPL-2.0-only
// Waiting for descriptors, and stopping.
#include "core/os/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "core/os/error.h"

namespace bpftrap {
namespace {

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  void put() const { EXPECT_EQ(::write(writer.get(), "x", 1), 1); }
  void take() const {
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  }

  UniqueFd reader;
  UniqueFd writer;
};

TEST(EventLoop, CallsBackUntilStopped) {
  EventLoop loop;
  Pipe pipe;
  int calls = 0;
  loop.watch(pipe.reader.get(), EPOLLIN, [&](std::uint32_t events) {
    EXPECT_EQ(events, static_cast<std::uint32_t>(EPOLLIN));
    if (++calls == 3) {
      loop.stop();
    }
  });
  pipe.put();
  loop.run();
  EXPECT_EQ(calls, 3) << "level-triggered: the data was not read";
}

TEST(EventLoop, AStopBeforeTheRunEndsItAtOnce) {
  EventLoop loop;
  Pipe pipe;
  int calls = 0;
  loop.watch(pipe.reader.get(), EPOLLIN, [&](std::uint32_t) {
    ++calls;
    loop.stop();
  });
  pipe.put();
  loop.stop();
  loop.run();
  EXPECT_EQ(calls, 0);
  loop.run();
  EXPECT_EQ(calls, 1) << "each stop ends one run";
}

TEST(EventLoop, AfterAStopNoOtherCallbackRuns) {
  EventLoop loop;
  Pipe first, second;
  int calls = 0;
  for (Pipe* pipe : {&first, &second}) {
    pipe->put();
    loop.watch(pipe->reader.get(), EPOLLIN, [&](std::uint32_t) {
      ++calls;
      loop.stop();
    });
  }
  loop.run();
  EXPECT_EQ(calls, 1) << "both descriptors were ready at the same time";
}

TEST(EventLoop, ACallbackMayWatchMore) {
  EventLoop loop;
  Pipe first, second;
  first.put();
  second.put();
  loop.watch(first.reader.get(), EPOLLIN, [&](std::uint32_t) {
    first.take();
    loop.watch(second.reader.get(), EPOLLIN, [&](std::uint32_t) { loop.stop(); });
  });
  loop.run();
}

TEST(EventLoop, ChangesWhatIsWatchedFor) {
  EventLoop loop;
  Pipe pipe, other;
  int calls = 0;
  loop.watch(pipe.writer.get(), 0, [&](std::uint32_t) {
    ++calls;
    loop.stop();
  });
  loop.watch(other.reader.get(), EPOLLIN, [&](std::uint32_t) { loop.stop(); });
  other.put();
  loop.run();
  EXPECT_EQ(calls, 0) << "the caller waits for input, and the pipe is only writable";
  other.take();
  loop.change(pipe.writer.get(), EPOLLOUT);
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, TellsOfAReaderThatIsGoneUnasked) {
  EventLoop loop;
  Pipe pipe;
  loop.watch(pipe.writer.get(), 0, [&](std::uint32_t events) {
    EXPECT_NE(events & EPOLLERR, 0U);
    loop.stop();
  });
  pipe.reader.reset();
  loop.run();
}

TEST(EventLoop, CallsBackEachSecondInOrder) {
  EventLoop loop;
  std::string calls;
  loop.each_second([&] { calls += 'a'; });
  loop.each_second([&] {
    calls += 'b';
    loop.stop();
  });
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  loop.run();
  EXPECT_EQ(calls, "ab");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(900));
}

TEST(EventLoop, CannotWatchRegularFiles) {
  EventLoop loop;
  UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(loop.watch(file.get(), EPOLLIN, [](std::uint32_t) {}));
}

TEST(EventLoop, ReportsADescriptorThatIsNone) {
  EventLoop loop;
  EXPECT_THROW(loop.watch(-1, EPOLLIN, [](std::uint32_t) {}), Error);
}

}  // namespace
}  // namespace bpftrap
