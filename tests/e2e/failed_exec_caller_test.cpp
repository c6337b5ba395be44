// SPDX-License-Identifier: GPL-2.0-only
// `exec --event +failed` for callers of unusual kinds: 32-bit ones, those that only ask, and those
// whose old program is gone when the exec fails.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using FailedExecCallerTest = TracingTest;
using Words = std::vector<std::string>;

void expect_failed(const Record& record, const std::string& path, const Words& argv,
                   const char* error) {
  EXPECT_EQ(record.maybe_text("errno"), error);
  EXPECT_EQ(record.maybe_text("filename"), path);
  EXPECT_EQ(record.strings("args"), argv);
  EXPECT_FALSE(record.flag("args_truncated"));
}

// Where a file is mapped: by the caller, and by the program that it is.
constexpr std::uintptr_t place = 0x10000000;
constexpr std::size_t argv_at = 0x800, string_at = 0x900, path_at = 0xa00;

// A program whose segment has more bytes in the file than in memory. The kernel finds that out
// after it has mapped the segment: fs/binfmt_elf.c load_elf_binary(). At `argv_at` is an argv.
void write_unloadable(const std::string& path) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
#if defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#else
  header.e_machine = EM_X86_64;
#endif
  header.e_version = EV_CURRENT;
  header.e_entry = place;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = place;
  segment.p_filesz = 0x1000;
  segment.p_memsz = 0x10;
  segment.p_align = 0x1000;
  std::string bytes(0x2000, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &segment, sizeof segment);
  std::uintptr_t string = place + string_at;
  std::memcpy(bytes.data() + argv_at, &string, sizeof string);
  std::strcpy(bytes.data() + string_at, "invented");
  std::strcpy(bytes.data() + path_at, path.c_str());
  std::ofstream(path, std::ios::binary) << bytes;
  ::chmod(path.c_str(), 0755);
}

TEST_F(FailedExecCallerTest, WhatFailsAfterTheOldProgramIsGoneHasAnErrorAndNoArguments) {
  ScratchDir scratch;
  std::string path = scratch / "unloadable";
  write_unloadable(path);
  Bpftrap bpftrap({"exec", "--event=+failed,exit", "--json"});
  bpftrap.await_start();
  Ended process =
      Child([&] {
        // The caller's strings have the same addresses as those in the new program.
        int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        ::mmap(reinterpret_cast<void*>(place), 0x1000, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
        ::execve(reinterpret_cast<char*>(place + path_at),
                 reinterpret_cast<char**>(place + argv_at), nullptr);
        return 1;
      }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_TRUE(WIFSIGNALED(process.status));
  Record exec = bpftrap.record_of(process, "exec");
  EXPECT_FALSE(exec.is_null("errno"));
  EXPECT_TRUE(exec.is_null("args"));
  EXPECT_TRUE(exec.is_null("filename"));
  Record exit = bpftrap.record_of(process, "exit");
  EXPECT_EQ(exit.text("comm"), "unloadable");
  EXPECT_TRUE(exit.is_null("args")) << "no exec of this process succeeded";
}

TEST_F(FailedExecCallerTest, ACheckIsNoExec) {
  constexpr int check = 0x10000;  // AT_EXECVE_CHECK, since 6.14; EINVAL before
  ScratchDir scratch;
  std::string closed = scratch / "closed";
  std::ofstream{closed} << "#!/bin/sh\n";
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended process =
      Child([&] {
        ExecStrings strings({"a"});
        for (const std::string& path : {closed, self_path()}) {
          ::syscall(SYS_execveat, AT_FDCWD, path.c_str(), strings.argv(), strings.envp(), check);
        }
        ::syscall(SYS_execveat, AT_FDCWD, closed.c_str(), strings.argv(), strings.envp(), 0);
        return errno;
      }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(WEXITSTATUS(process.status), EACCES);
  ASSERT_EQ(bpftrap.records_of(process).size(), 1U) << "only the last call executes something";
  expect_failed(bpftrap.records_of(process)[0], closed, {"a"}, "EACCES");
}

#if defined(__x86_64__)
// Strings and pointers in the lower 4 GiB, as a 32-bit program has them.
class Low {
 public:
  Low() {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    next_ = static_cast<char*>(memory);
  }
  std::uint32_t string(const std::string& text) { return copy(text.c_str(), text.size() + 1); }
  std::uint32_t pointers(const Words& words) {
    std::vector<std::uint32_t> pointers;
    for (const std::string& word : words) {
      pointers.push_back(string(word));
    }
    pointers.push_back(0);
    return copy(pointers.data(), pointers.size() * sizeof pointers[0]);
  }

 private:
  static constexpr std::size_t size = 1 << 20;
  std::uint32_t copy(const void* from, std::size_t bytes) {
    char* at = next_;
    std::memcpy(at, from, bytes);
    next_ += (bytes + 7) & ~std::size_t{7};
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(at));
  }
  char* next_;
};

long call_32(std::uint32_t number, std::uint32_t b, std::uint32_t c, std::uint32_t d,
             std::uint32_t s, std::uint32_t i) {
  long result = number;
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(b), "c"(c), "d"(d), "S"(s), "D"(i)
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}

TEST_F(FailedExecCallerTest, CallersOf32Bits) {
  if (::syscall(SYS_getpid) !=
      Child([] { return call_32(20, 0, 0, 0, 0, 0) == ::getpid() ? 0 : 1; }).wait().status +
          ::getpid()) {
    GTEST_SKIP() << "the kernel has no 32-bit system calls (CONFIG_IA32_EMULATION)";
  }
  const Words argv{"name", "", "a b"};
  Bpftrap bpftrap({"exec", "--event=+failed", "--json"});
  bpftrap.await_start();
  Ended execve = Child([&] {
                   Low low;
                   return static_cast<int>(-call_32(11, low.string("/no/such"), low.pointers(argv),
                                                    low.pointers({}), 0, 0));
                 }).wait();
  Ended execveat = Child([&] {
                     Low low;
                     return static_cast<int>(-call_32(358, static_cast<std::uint32_t>(AT_FDCWD),
                                                      low.string("no/such"), low.pointers(argv),
                                                      low.pointers({}), 0));
                   }).wait();
  // The numbers of the other table.
  Ended others = Child([&] {
                   call_32(59, 0, 0, 0, 0, 0);
                   call_32(322, 0, 0, 0, 0, 0);
                   ::syscall(11, 1, 0, 0);
                   ::syscall(358, 0, 0, 0);
                   return 0;
                 }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(WEXITSTATUS(execve.status), ENOENT);
  ASSERT_EQ(WEXITSTATUS(execveat.status), ENOENT);
  expect_failed(bpftrap.record_of(execve, "exec"), "/no/such", argv, "ENOENT");
  expect_failed(bpftrap.record_of(execveat, "exec"), "no/such", argv, "ENOENT");
  EXPECT_TRUE(bpftrap.records_of(others).empty());
}
#endif

}  // namespace
}  // namespace e2e
