// SPDX-License-Identifier: GPL-2.0-only
// A pipe stands for a disk that is slow: its reader decides when write() goes on.
#include "core/output/file_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace bpftrap {
namespace {

using namespace std::chrono_literals;

class FileWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader_ = UniqueFd(ends[0]);
    file_ = UniqueFd(ends[1]);
    std::signal(SIGPIPE, SIG_IGN);
  }

  FileWriter::Calls calls() {
    return {[this] {
              std::lock_guard<std::mutex> lock(confine_);
              confined_in_ = std::this_thread::get_id();
            },
            [this](std::string_view part) { written_ += part; }};
  }

  std::string receive(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t done = 0; done < size;) {
      ssize_t count = ::read(reader_.get(), text.data() + done, size - done);
      if (count <= 0) {
        break;
      }
      done += static_cast<std::size_t>(count);
    }
    return text;
  }

  static bool is_writable(int fd, std::chrono::milliseconds patience) {
    pollfd ready{fd, POLLOUT, 0};
    return ::poll(&ready, 1, static_cast<int>(patience.count())) == 1;
  }

  UniqueFd reader_;
  UniqueFd file_;
  std::mutex confine_;  // while it is locked, the thread writes nothing
  std::thread::id confined_in_;
  std::string written_;
};

TEST_F(FileWriterTest, PartsArriveInOrderAndTheCallerGoesOn) {
  std::string sent;
  {
    FileWriter writer(file_.get(), calls());
    for (int i = 0; i < 1000; ++i) {
      std::string part(1000, static_cast<char>('a' + i % 26));
      part += '\n';
      sent += part;
      writer.write(part);
      EXPECT_TRUE(part.empty());
    }
    // The pipe takes 64 KiB: the others wait.
    EXPECT_GT(writer.waiting(), sent.size() / 2);
    EXPECT_GT(writer.waiting_lines(), 500U);
    EXPECT_EQ(receive(sent.size()), sent);
    while (writer.waiting() > 0) {
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(writer.waiting_lines(), 0U);
    EXPECT_FALSE(writer.take_failure());
  }
  EXPECT_EQ(written_, sent);
  EXPECT_NE(confined_in_, std::thread::id());
  EXPECT_NE(confined_in_, std::this_thread::get_id());
}

TEST_F(FileWriterTest, TheEndWritesAllPartsUnlessTheyAreDropped) {
  for (bool drop : {false, true}) {
    SCOPED_TRACE(drop);
    written_.clear();
    std::string received;
    std::thread reader([&] { received = receive(400'000); });
    {
      std::unique_lock<std::mutex> lock(confine_);
      FileWriter writer(file_.get(), calls());
      for (char letter : {'a', 'b', 'c', 'd'}) {
        std::string part(100'000, letter);
        writer.write(part);
      }
      if (drop) {
        writer.drop();
      }
      lock.unlock();
    }
    std::size_t size = drop ? 100'000 : 400'000;
    EXPECT_EQ(written_.size(), size);
    if (drop) {
      std::string rest(300'000, 'x');
      ASSERT_EQ(::write(file_.get(), rest.data(), rest.size()), 300'000);
    }
    reader.join();
    EXPECT_EQ(received.substr(0, size), written_);
  }
}

TEST_F(FileWriterTest, ProgressMakesTheDescriptorWritable) {
  FileWriter writer(file_.get(), calls());
  std::string part(100'000, 'x');
  writer.write(part);
  writer.want_progress();
  EXPECT_FALSE(is_writable(writer.fd(), 50ms));
  receive(100'000);
  EXPECT_TRUE(is_writable(writer.fd(), 10s));
  // Idle, it has nothing to wait for.
  while (writer.waiting() > 0) {
    std::this_thread::sleep_for(1ms);
  }
  writer.want_progress();
  EXPECT_TRUE(is_writable(writer.fd(), 10s));
}

TEST_F(FileWriterTest, AFailureKeepsThePartThatIsNotWhole) {
  FileWriter writer(file_.get(), calls());
  std::string first(10, 'a');
  writer.write(first);
  EXPECT_EQ(receive(10), std::string(10, 'a'));
  std::string second(100'000, 'b');
  std::string third(10, 'c');
  writer.write(second);
  writer.write(third);
  writer.want_progress();
  if (is_writable(writer.fd(), 50ms)) {
    writer.want_progress();  // that was the end of the first part
  }
  EXPECT_FALSE(is_writable(writer.fd(), 50ms));
  reader_.reset();
  EXPECT_TRUE(is_writable(writer.fd(), 10s));
  std::optional<FileWriter::Failure> failure;
  while (!failure) {
    failure = writer.take_failure();
  }
  EXPECT_EQ(failure->error, EPIPE);
  EXPECT_EQ(failure->part, std::string(100'000, 'b'));
  EXPECT_GT(failure->written, 0U);
  EXPECT_LT(failure->written, 100'000U);
  EXPECT_EQ(written_, std::string(10, 'a'));
  EXPECT_FALSE(writer.take_failure());
}

TEST_F(FileWriterTest, MemoryIsUsedAgain) {
  FileWriter writer(file_.get(), calls());
  std::string part;
  part.reserve(50'000);
  part += "x";
  const char* memory = part.data();
  writer.write(part);
  receive(1);
  while (writer.waiting() > 0) {
    std::this_thread::sleep_for(1ms);
  }
  // The thread keeps the memory after it has counted, and then tells.
  writer.want_progress();
  EXPECT_TRUE(is_writable(writer.fd(), 10s));
  std::string other = "y";
  writer.write(other);
  EXPECT_EQ(other.capacity(), 50'000U);
  EXPECT_EQ(other.data(), memory);
}

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if !HAS_FEATURE(address_sanitizer)  // its malloc() gives back nothing

std::size_t resident_bytes() {
  std::size_t size = 0;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> size >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(FileWriterTest, MemoryOfABacklogIsGivenBack) {
  constexpr std::size_t size = 60'000;
  constexpr std::size_t count = 500;
  FileWriter writer(file_.get(), {[] {}, [](std::string_view) {}});
  ::malloc_trim(0);  // of what other tests have freed
  std::size_t before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    std::string part(size, 'x');
    writer.write(part);
  }
  // Memory in use behind the parts, so that free() alone cannot shrink the heap.
  std::string behind(1000, 'y');
  EXPECT_GT(resident_bytes(), before + size * count / 2);
  for (std::size_t i = 0; i < count; ++i) {
    receive(size);
  }
  for (int i = 0; i < 1000 && resident_bytes() > before + size * count / 8; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_LE(resident_bytes(), before + size * count / 8);
  EXPECT_EQ(behind.size(), 1000U);
}

#endif

}  // namespace
}  // namespace bpftrap
