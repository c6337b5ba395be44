// SPDX-License-Identifier: GPL-2.0-only
// The rights that are left after enter_sandbox(). Each attempt runs in a child of its own, because
// a process cannot leave the sandbox.
#include "core/trace/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace bpftrap {
namespace {

// Runs `body` in a child. Returns its exit code, or 1000 plus the number of the signal.
int in_child(const std::function<int()>& body) {
  pid_t pid = ::fork();
  if (pid == 0) {
    // The loop avoids _exit(): AddressSanitizer asks for the signal stack before a function that
    // does not return, and the filter refuses that call.
    for (const int code = body(); true;) {
      ::syscall(SYS_exit_group, code);
    }
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// errno of a call in the sandbox; 0 on success, 255 if the sandbox is incomplete.
int errno_in_sandbox(const std::function<long()>& call, const SandboxNeeds& needs = {}) {
  return in_child([&] {
    if (!enter_sandbox(needs).empty()) {
      return 255;
    }
    errno = 0;
    return call() < 0 ? errno : 0;
  });
}

bool in_effect(unsigned capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  ::syscall(SYS_capget, &header, data);
  return ((data[capability / 32].effective >> (capability % 32)) & 1U) != 0;
}

// The line `name` of /proc/self/status, read from a descriptor that was opened before the sandbox.
std::string status_line(int fd, const std::string& name) {
  static char text[8192];
  ssize_t size = ::lseek(fd, 0, SEEK_SET) == 0 ? ::read(fd, text, sizeof text - 1) : -1;
  text[size > 0 ? size : 0] = '\0';
  const char* at = std::strstr(text, ("\n" + name + ":\t").c_str());
  if (at == nullptr) {
    return "";
  }
  at += name.size() + 3;
  return {at, std::strcspn(at, "\n")};
}

TEST(Sandbox, NothingIsOpenedConnectedOrExecuted) {
  EXPECT_EQ(errno_in_sandbox([] { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::socket(AF_UNIX, SOCK_DGRAM, 0); }), EPERM);
  int connected = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  EXPECT_EQ(errno_in_sandbox([&] { return ::connect(connected, to, sizeof address); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([&] { return ::sendto(connected, "", 0, 0, to, sizeof address); }),
            EPERM);
  ::close(connected);
  EXPECT_EQ(errno_in_sandbox([] { return ::execl("/nonexistent", "no", nullptr); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::fork(); }), EPERM);
}

TEST(Sandbox, NoOtherProcessIsReached) {
  pid_t parent = ::getpid();
  EXPECT_EQ(errno_in_sandbox([&] { return ::kill(parent, SIGCONT); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([&] { return ::syscall(SYS_tgkill, parent, parent, SIGCONT); }),
            EPERM);
  EXPECT_EQ(errno_in_sandbox([&] { return ::syscall(434 /* pidfd_open */, parent, 0); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([&] { return ::ptrace(PTRACE_SEIZE, parent, 0, 0); }), EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::setuid(12345); }), EPERM);
}

TEST(Sandbox, NothingNewIsExecutableAndNoBpfIsLoaded) {
  EXPECT_EQ(errno_in_sandbox([] {
              void* at =
                  ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return at == MAP_FAILED ? -1L : 0L;
            }),
            EPERM);
  bpf_attr attr{};
  for (bpf_cmd command :
       {BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM, BPF_PROG_LOAD, BPF_MAP_GET_FD_BY_ID, BPF_OBJ_GET}) {
    EXPECT_EQ(errno_in_sandbox([&] { return ::syscall(SYS_bpf, command, &attr, sizeof attr); }),
              EPERM)
        << command;
  }
  // The filter allows this call, so the error is the kernel's.
  EXPECT_EQ(errno_in_sandbox([&] {
              attr.map_fd = 1U << 20;
              return ::syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr);
            }),
            EBADF);
}

TEST(Sandbox, FilesAreMappedOverOthersAndToBeReadOnly) {
  int fd = ::memfd_create("mapped", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(fd, 4096), 0);
  void* at = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(at, MAP_FAILED);
  auto map = [&](void* where, int protection, int flags) {
    return errno_in_sandbox(
        [&] { return ::mmap(where, 4096, protection, flags, fd, 0) == MAP_FAILED ? -1L : 0L; });
  };
  EXPECT_EQ(map(at, PROT_READ, MAP_SHARED | MAP_FIXED), 0);  // as the ring buffer does
  EXPECT_EQ(map(at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED), EPERM);
  EXPECT_EQ(map(at, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED), EPERM);
  EXPECT_EQ(map(at, PROT_EXEC, MAP_SHARED | MAP_FIXED), EPERM);
  EXPECT_EQ(map(at, PROT_READ, MAP_PRIVATE | MAP_FIXED), EPERM);
  EXPECT_EQ(map(nullptr, PROT_READ, MAP_SHARED), EPERM);
  ::munmap(at, 4096);
  ::close(fd);
}

TEST(Sandbox, WhatTheLoopDoesWorks) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(errno_in_sandbox([&] { return ::write(ends[1], "x", 1); }), 0);
  EXPECT_EQ(errno_in_sandbox([&] {
              char byte = 0;
              return ::read(ends[0], &byte, 1) - 1;
            }),
            0);
  EXPECT_EQ(errno_in_sandbox([] { return ::kill(::getpid(), 0); }), 0);
  EXPECT_EQ(errno_in_sandbox([] { return ::usleep(10); }), 0);
  EXPECT_EQ(errno_in_sandbox([] {
              std::string much(std::size_t{64} << 20, 'x');
              much.resize(much.size() * 2, 'y');
              return much.back() == 'y' ? 0L : -1L;
            }),
            0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Sandbox, NoPrivilegeIsLeft) {
  int fd = ::open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  ::close(fd);
  EXPECT_EQ(in_child([] {
              int status = ::open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
              enter_sandbox({});
              std::string none(16, '0');
              return (status_line(status, "CapPrm") == none ? 0 : 1) |
                     (status_line(status, "CapEff") == none ? 0 : 2) |
                     (status_line(status, "CapInh") == none ? 0 : 4) |
                     (status_line(status, "CapAmb") == none ? 0 : 8) |
                     (status_line(status, "NoNewPrivs") == "1" ? 0 : 16) |
                     (status_line(status, "Seccomp") == "2" ? 0 : 32) |
                     (::geteuid() != 0 || status_line(status, "CapBnd") == none ? 0 : 64);
            }),
            0);
}

TEST(Sandbox, AReaderOfFilesDoesNothingElse) {
  SandboxNeeds reading{.reads_files = true};
  EXPECT_EQ(errno_in_sandbox([] { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }, reading), 0);
  EXPECT_EQ(errno_in_sandbox([] { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }, reading),
            EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }, reading),
            EPERM);
  EXPECT_EQ(errno_in_sandbox(
                [] { return ::open("/tmp/never", O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); },
                reading),
            EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::socket(AF_INET, SOCK_STREAM, 0); }, reading), EPERM);
  EXPECT_EQ(errno_in_sandbox([] { return ::execl("/nonexistent", "no", nullptr); }, reading),
            EPERM);
}

// Returns 0 if enter_sandbox(needs) leaves exactly the capabilities `expected`.
int left_in_sandbox(const SandboxNeeds& needs, std::uint64_t expected) {
  return in_child([&] {
    int status = ::open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    enter_sandbox(needs);
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(expected));
    return status_line(status, "CapPrm") == digits ? 0 : 1;
  });
}

TEST(Sandbox, OnlyTheCapabilitiesThatAreNeededStay) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root has any";
  }
  EXPECT_EQ(left_in_sandbox({.reads_files = true}, 1U << CAP_SYS_PTRACE), 0);
  EXPECT_EQ(left_in_sandbox({.signals_program = true}, 1U << CAP_KILL), 0);
}

TEST(Sandbox, WhereTheKernelWantsACapabilityForMapsThatOneStays) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root has any";
  }
  constexpr unsigned bpf = 39;
  for (unsigned demanded : {bpf, static_cast<unsigned>(CAP_SYS_ADMIN)}) {
    SandboxNeeds needs{.can_read_maps = [demanded] { return in_effect(demanded); }};
    EXPECT_EQ(left_in_sandbox(needs, std::uint64_t{1} << demanded), 0) << demanded;
  }
  EXPECT_EQ(left_in_sandbox({.can_read_maps = [] { return true; }}, 0), 0)
      << "this kernel needs no capability for maps";
}

TEST(Sandbox, WhatTheKernelDoesNotDoIsSaid) {
  EXPECT_EQ(in_child([] {
              enter_sandbox({});
              // The filter refuses a second entry.
              std::vector<std::string> missing = enter_sandbox({});
              if (missing.size() != 3) {
                return 1;
              }
              for (const std::string& line : missing) {
                if (line.rfind("sandbox: cannot ", 0) != 0 || line.find('\n') != line.npos) {
                  return 2;
                }
              }
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace bpftrap
