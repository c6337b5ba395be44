// SPDX-License-Identifier: GPL-2.0-only
// The consumer on a ring buffer that the test itself fills, in a memfd of the kernel's layout.
#include "core/ring_buffer.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace bpftrap {
namespace {

class Producer {
 public:
  explicit Producer(std::size_t size)
      : size_(size),
        page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        fd_(::memfd_create("ring", MFD_CLOEXEC)) {
    EXPECT_EQ(::ftruncate(fd_.get(), static_cast<off_t>(2 * page_ + size)), 0);
    memory_ = static_cast<char*>(
        ::mmap(nullptr, 2 * page_ + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0));
  }
  ~Producer() { ::munmap(memory_, 2 * page_ + size_); }

  int fd() const { return fd_.get(); }

  // Returns where the record's header is, to be committed later if `flags` say busy.
  std::size_t put(std::string_view text, std::uint32_t flags = 0) {
    std::size_t at = position() % size_;
    auto length = static_cast<std::uint32_t>(text.size()) | flags;
    std::memcpy(data() + at, &length, sizeof length);
    for (std::size_t i = 0; i < text.size(); ++i) {
      data()[(at + 8 + i) % size_] = text[i];
    }
    position() += 8 + (text.size() + 7) / 8 * 8;
    return at;
  }
  void commit(std::size_t at) {
    std::uint32_t length = 0;
    std::memcpy(&length, data() + at, sizeof length);
    length &= ~BPF_RINGBUF_BUSY_BIT;
    std::memcpy(data() + at, &length, sizeof length);
  }
  unsigned long consumed() const { return *reinterpret_cast<unsigned long*>(memory_); }

 private:
  unsigned long& position() { return *reinterpret_cast<unsigned long*>(memory_ + page_); }
  char* data() { return memory_ + 2 * page_; }

  std::size_t size_;
  std::size_t page_;
  UniqueFd fd_;
  char* memory_;
};

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

TEST(RingBuffer, FreesRoomRecordByRecord) {
  Producer producer(4096);
  RingBuffer ring(producer.fd(), 4096);
  producer.put("one");
  producer.put("two");
  EXPECT_EQ(take(ring, 1), Records{"one"});
  EXPECT_EQ(producer.consumed(), 16U);
  ring.consume([](std::span<const std::byte>) { return false; });
  EXPECT_EQ(producer.consumed(), 32U) << "the record that ended it counts as consumed";
}

}  // namespace
}  // namespace bpftrap
