// SPDX-License-Identifier: GPL-2.0-only
// The consumer, with a ring buffer that the test fills.
#include "core/bpf/ring_buffer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "core/os/error.h"
#include "unit/producer.h"

namespace bpftrap {
namespace {

std::vector<std::string> take(RingBuffer& ring, std::size_t most = SIZE_MAX) {
  std::vector<std::string> all;
  ring.consume(
      [&](std::span<const std::byte> bytes) {
        all.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return true;
      },
      most);
  return all;
}

using Records = std::vector<std::string>;

TEST(RingBuffer, InOrderAndOnce) {
  Producer producer(4096);
  RingBuffer ring(producer.fd(), 4096);
  EXPECT_EQ(take(ring), Records{});
  producer.put("one");
  producer.put("");
  producer.put("three");
  EXPECT_EQ(take(ring), (Records{"one", "", "three"}));
  EXPECT_EQ(take(ring), Records{});
  EXPECT_EQ(ring.pending(), 0U);
}

TEST(RingBuffer, StopsAtARecordThatIsBeingWritten) {
  Producer producer(4096);
  RingBuffer ring(producer.fd(), 4096);
  producer.put("one");
  std::size_t busy = producer.put("two", BPF_RINGBUF_BUSY_BIT);
  producer.put("three");
  EXPECT_EQ(take(ring), Records{"one"});
  EXPECT_GT(ring.pending(), 0U);
  producer.commit(busy);
  EXPECT_EQ(take(ring), (Records{"two", "three"}));
}

TEST(RingBuffer, SkipsWhatWasDiscarded) {
  Producer producer(4096);
  RingBuffer ring(producer.fd(), 4096);
  producer.put("gone", BPF_RINGBUF_DISCARD_BIT);
  producer.put("one");
  producer.put("gone", BPF_RINGBUF_DISCARD_BIT);
  EXPECT_EQ(take(ring), Records{"one"});
  EXPECT_EQ(ring.pending(), 0U);
}

TEST(RingBuffer, JoinsRecordsOverTheEnd) {
  Producer producer(4096);
  RingBuffer ring(producer.fd(), 4096);
  for (int i = 0; i < 1000; ++i) {
    std::string text = std::to_string(i) + std::string(static_cast<std::size_t>(i % 777), 'x');
    producer.put(text);
    ASSERT_EQ(take(ring), Records{text});
  }
}

constexpr std::size_t page = 4096;

// Records of all sizes up to half of the buffer or window, a few at a time.
void expect_all_delivered(std::size_t size, std::size_t window, std::size_t largest) {
  Producer producer(size);
  RingBuffer ring(producer.fd(), size, window);
  std::size_t length = 1;
  for (int i = 0; i < 1000; ++i) {
    Records put;
    for (std::size_t room = size; put.size() < 3 && room > largest + 16; room -= length + 16) {
      length = length * 7 % 65537 % (largest + 1);
      put.emplace_back(length, static_cast<char>('a' + i % 26));
      producer.put(put.back());
    }
    ASSERT_EQ(take(ring), put) << "size " << size << ", window " << window << ", step " << i;
    ASSERT_EQ(ring.pending(), 0U);
  }
}

TEST(RingBuffer, RecordsOverTheEndOfTheWindowAndOfTheBuffer) {
  const auto real_page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (real_page != page) {
    GTEST_SKIP() << "the sizes here are for pages of 4 KiB";
  }
  expect_all_delivered(page, page * 64, page / 2);
  expect_all_delivered(page, page * 2, page / 2);
  expect_all_delivered(2 * page, page * 3, page);
  expect_all_delivered(16 * page, page * 2, page);
  expect_all_delivered(16 * page, page * 5, 4 * page);
  expect_all_delivered(64 * page, page * 16, 10 * page);
  expect_all_delivered(1024 * page, page * 64, 11 * page);
}

TEST(RingBuffer, BeginsWhereAnotherReaderStopped) {
  Producer producer(16 * page);
  for (int i = 0; i < 31; ++i) {
    RingBuffer ring(producer.fd(), 16 * page, 4 * page);
    std::string text(3 * page - 100, static_cast<char>('a' + i % 26));
    producer.put(text);
    ASSERT_EQ(take(ring), Records{text});
  }
}

// Size of all mappings whose line in /proc/self/maps contains `name`, in KiB.
std::size_t mapped_kib(std::string_view name) {
  std::size_t all = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (line.find(name) != std::string::npos &&
        std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2) {
      all += (end - begin) / 1024;
    }
  }
  return all;
}

TEST(RingBuffer, OnlyAPartIsMappedAtATime) {
  constexpr std::size_t size = std::size_t{4} << 20;
  Producer producer(size);
  const std::size_t before = mapped_kib("memfd:ring");
  {
    RingBuffer ring(producer.fd(), size);
    for (int i = 0; i < 10'000; ++i) {
      producer.put(std::string(2000, 'x'));
      ASSERT_EQ(take(ring).size(), 1U);
      if (i % 1000 == 0) {
        EXPECT_EQ(mapped_kib("memfd:ring") - before, (RingBuffer::usual_window + 2 * page) / 1024);
      }
    }
  }
  EXPECT_EQ(mapped_kib("memfd:ring"), before);
}

TEST(RingBuffer, ALengthThatCannotBeIsRefused) {
  Producer producer(16 * page);
  RingBuffer ring(producer.fd(), 16 * page, 2 * page);
  producer.put(std::string(3 * page, 'x'));
  EXPECT_THROW(take(ring), Error);
}

// A reader without records waits for the next commit, and a commit wakes it only if it has consumed
// everything before. For both to miss each other takes some ten thousand tries on two processors.
TEST(RingBuffer, WhoFindsNothingIsWokenByTheNextRecord) {
  constexpr int records = 500'000;
  Producer producer(page);
  RingBuffer ring(producer.fd(), page);
  std::atomic<int> wakes = 0;
  std::atomic<bool> given_up = false;
  std::thread writer([&] {
    for (int i = 0; i < records && !given_up; ++i) {
      while (!producer.has_room(16) && !given_up) {
      }
      if (producer.commit_and_wake(producer.put("12345678", BPF_RINGBUF_BUSY_BIT))) {
        ++wakes;
      }
    }
  });
  int seen = 0;
  int taken = 0;  // wakes
  while (seen < records && !given_up) {
    const int before = seen;
    ring.consume([&](std::span<const std::byte>) { return ++seen > 0; });
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (seen < records && taken == wakes && !given_up) {
      given_up = std::chrono::steady_clock::now() > patience;
    }
    taken = wakes;
    ASSERT_GE(seen, before);
  }
  writer.join();
  EXPECT_EQ(seen, records) << "the producer did not wake the reader";
}

TEST(RingBuffer, FreesRoomRecordByRecord) {
  Producer producer(4096);
  RingBuffer ring(producer.fd(), 4096);
  producer.put("one");
  producer.put("two");
  EXPECT_EQ(take(ring, 1), Records{"one"});
  EXPECT_EQ(producer.consumed(), 16U);
  ring.consume([](std::span<const std::byte>) { return false; });
  EXPECT_EQ(producer.consumed(), 32U) << "the record that stopped the run counts as consumed";
}

}  // namespace
}  // namespace bpftrap
