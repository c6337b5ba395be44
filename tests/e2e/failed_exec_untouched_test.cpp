// SPDX-License-Identifier: GPL-2.0-only
// `exec --event +failed` where the caller's strings lie in pages that nobody has touched. Since 6.9
// the kernel looks for the program before it reads them.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

using FailedExecUntouchedTest = TracingTest;
using Words = std::vector<std::string>;

std::pair<int, int> kernel_version() {
  utsname names{};
  ::uname(&names);
  int major = 0, minor = 0;
  std::sscanf(names.release, "%d.%d", &major, &minor);
  return {major, minor};
}

// Kernels that read the strings late, and do not let a program wait for a page.
bool leaves_strings_unread() {
  return kernel_version() >= std::pair(6, 9) && kernel_version() < std::pair(6, 18);
}

// Where a file with argv is mapped in the caller.
constexpr std::uintptr_t place = 0x7e0000000000;

// Writes argv as it will lie at `place`: the pointers in the first pages, the strings behind them.
// Returns the size.
std::size_t write_argv(const std::string& path, const Words& argv) {
  constexpr std::size_t strings_at = 8192;
  std::vector<std::uintptr_t> pointers;
  std::string strings;
  for (const std::string& word : argv) {
    pointers.push_back(place + strings_at + strings.size());
    strings.append(word).push_back('\0');
  }
  pointers.push_back(0);
  std::string bytes(strings_at, '\0');
  std::memcpy(bytes.data(), pointers.data(), pointers.size() * sizeof pointers[0]);
  bytes += strings;
  std::ofstream(path, std::ios::binary) << bytes;
  return bytes.size();
}

// In the caller: nothing of argv is in its memory, and then it fails to execute. Returns errno.
int execute_untouched(const std::string& file, std::size_t size) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  void* memory =
      ::mmap(reinterpret_cast<void*>(place), size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  if (memory == MAP_FAILED || ::madvise(memory, size, MADV_RANDOM) != 0) {
    return 125;
  }
  ::execve("/no/such", static_cast<char* const*>(memory), nullptr);
  return errno;
}

TEST_F(FailedExecUntouchedTest, ArgumentsAreWhole) {
  ScratchDir scratch;
  std::size_t number = 0;
  for (const Words& argv : {
           Words{"worker", "--mode=fast", "--log", "/var/log/worker.log"},
           Words{"", "", ""},
           Words{"a", std::string(5000, 'b'), std::string(4095, 'c'), std::string(8192, 'd'), "e"},
           Words{std::string(32'000, 'x')},
           Words(200, std::string(100, 'y')),
       }) {
    SCOPED_TRACE(number);
    std::string file = scratch / std::to_string(number++);
    std::size_t size = write_argv(file, argv);
    Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
    bpftrap.await_start();
    std::uint64_t before = boot_ns_now();
    Ended process = Child([&] { return execute_untouched(file, size); }).wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    ASSERT_EQ(WEXITSTATUS(process.status), ENOENT);
    ASSERT_EQ(bpftrap.records_of(process).size(), 1U);
    Record record = bpftrap.record_of(process, "exec");
    EXPECT_EQ(record.maybe_text("errno"), "ENOENT");
    EXPECT_EQ(record.maybe_text("filename"), "/no/such");
    EXPECT_GE(record.number("boot_ns"), before);
    EXPECT_LE(record.number("boot_ns"), process.after_end);
    if (leaves_strings_unread()) {
      EXPECT_TRUE(record.is_null("args"));
      continue;
    }
    EXPECT_EQ(record.strings("args"), argv);
    EXPECT_FALSE(record.flag("args_truncated"));
  }
}

TEST_F(FailedExecUntouchedTest, WhatIsFilteredOutIsNotReported) {
  ScratchDir scratch;
  std::size_t size = write_argv(scratch / "argv", {"a", "b"});
  Bpftrap bpftrap({"exec", "--event=+failed", "--json", "--name", "bpftrap-nobody"});
  bpftrap.await_start();
  Ended process = Child([&] { return execute_untouched(scratch / "argv", size); }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_TRUE(bpftrap.records_of(process).empty());
}

TEST_F(FailedExecUntouchedTest, MarksOfDescendantsCount) {
  ScratchDir scratch;
  std::size_t size = write_argv(scratch / "argv", {"a", "b"});
  Bpftrap bpftrap({"exec", "--event=+failed", "--json", "--tree", std::to_string(::getpid())});
  bpftrap.await_start();
  Ended process = Child([&] { return execute_untouched(scratch / "argv", size); }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record record = bpftrap.record_of(process, "exec");
  if (!leaves_strings_unread()) {
    EXPECT_EQ(record.strings("args"), (Words{"a", "b"}));
  }
}

// Registers a page that its owner never fills. Returns false if this is not possible.
bool make_endless(void* page, std::size_t size) {
  int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{};
  api.api = UFFD_API;
  uffdio_register area{};
  area.range = {reinterpret_cast<std::uintptr_t>(page), size};
  area.mode = UFFDIO_REGISTER_MODE_MISSING;
  return fd >= 0 && ::ioctl(fd, UFFDIO_API, &api) == 0 && ::ioctl(fd, UFFDIO_REGISTER, &area) == 0;
}

TEST_F(FailedExecUntouchedTest, APageWhoseOwnerNeverAnswersIsLeftAlone) {
  if (kernel_version() < std::pair(6, 9)) {
    GTEST_SKIP() << "this kernel itself waits for the page";
  }
  constexpr std::size_t size = 4096;
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended process = Child([&] {
                    void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                    if (!make_endless(page, size)) {
                      return 125;
                    }
                    char* const argv[] = {static_cast<char*>(page), nullptr};
                    ::execve("/no/such", argv, nullptr);
                    return errno;
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  if (WEXITSTATUS(process.status) == 125) {
    GTEST_SKIP() << "no userfaultfd";
  }
  ASSERT_EQ(WEXITSTATUS(process.status), ENOENT);
  Record record = bpftrap.record_of(process, "exec");
  EXPECT_EQ(record.maybe_text("filename"), "/no/such");
  EXPECT_TRUE(record.is_null("args"));
}

}  // namespace
}  // namespace e2e
