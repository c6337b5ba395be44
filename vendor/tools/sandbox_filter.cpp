// SPDX-License-Identifier: GPL-2.0-only
// Runs during the build and is not part of bpftrap. Turns the system calls of an attached tracer
// into seccomp filters (BPF), written as C++ for sandbox.cpp. libseccomp knows each processor's
// numbers and checks the ABI. Linked into bpftrap, it would add 115 KB, and the time to compile the
// same filters at each start.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace {

[[noreturn]] void fail(const char* step, int err) {
  errno = err;
  std::perror(step);
  std::exit(1);
}

class Filter {
 public:
  // A refused call returns an error and raises no signal, so an unexpected call of a libc loses no
  // record. `processor` selects the numbers in the filter; libseccomp translates them from the
  // native ones.
  explicit Filter(std::uint32_t processor) : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
    if (context_ == nullptr) {
      fail("seccomp_init", ENOMEM);
    }
    if (processor != seccomp_arch_native()) {
      int err = seccomp_arch_add(context_, processor);
      if (err == 0) {
        err = seccomp_arch_remove(context_, SCMP_ARCH_NATIVE);
      }
      if (err != 0) {
        fail("seccomp_arch_add", -err);
      }
    }
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter() { seccomp_release(context_); }

  // libseccomp leaves out a call that this processor does not have.
  void allow(std::initializer_list<int> calls) {
    for (int call : calls) {
      allow_if(call, {});
    }
  }
  // Allows the call only if its arguments satisfy all conditions.
  void allow_if(int call, const std::vector<scmp_arg_cmp>& arguments) {
    int err = seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call,
                                     static_cast<unsigned>(arguments.size()), arguments.data());
    if (err != 0) {
      fail("seccomp_rule_add_array", -err);
    }
  }

  std::vector<sock_filter> program() const {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
    if (!file) {
      fail("tmpfile", errno);
    }
    if (int err = seccomp_export_bpf(context_, ::fileno(file.get())); err != 0) {
      fail("seccomp_export_bpf", -err);
    }
    std::rewind(file.get());
    std::vector<sock_filter> program;
    for (sock_filter instruction{};
         std::fread(&instruction, sizeof instruction, 1, file.get()) == 1;) {
      program.push_back(instruction);
    }
    return program;
  }

 private:
  scmp_filter_ctx context_;
};

// Argument `index` has none of the bits of `mask`.
scmp_arg_cmp without(unsigned index, scmp_datum_t mask) {
  return {index, SCMP_CMP_MASKED_EQ, mask, 0};
}

scmp_arg_cmp with(unsigned index, scmp_datum_t mask) {
  return {index, SCMP_CMP_MASKED_EQ, mask, mask};
}

scmp_arg_cmp equal(unsigned index, scmp_datum_t value) {
  return {index, SCMP_CMP_EQ, value, 0};
}

// The event loop, from the line `start` to the line `stop`.
void allow_loop(Filter& filter) {
  // Waiting. Without a clock in the vDSO, reading the time is a system call.
  filter.allow({SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll),
                SCMP_SYS(ppoll), SCMP_SYS(timerfd_settime), SCMP_SYS(nanosleep),
                SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall)});
  // Open descriptors. A socket gets records by send(), to its connected peer.
  filter.allow({SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
                SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(ftruncate),
                SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range)});
  filter.allow_if(SCMP_SYS(sendto), {equal(4, 0)});
  // Counters of losses and followed processes.
  filter.allow_if(SCMP_SYS(bpf), {equal(0, BPF_MAP_LOOKUP_ELEM)});
  filter.allow_if(SCMP_SYS(bpf), {equal(0, BPF_OBJ_GET_INFO_BY_FD)});
  // libbpf disables a perf event before closing it.
  filter.allow_if(SCMP_SYS(ioctl), {equal(1, PERF_EVENT_IOC_DISABLE)});
  filter.allow_if(SCMP_SYS(ioctl), {equal(1, TIOCGWINSZ)});  // rows end at the terminal's width
  // PROGRAM, through its open pidfd; no other can be opened. Signal 0 tests whether the process
  // still exists.
  filter.allow({SCMP_SYS(waitid), SCMP_SYS(pidfd_send_signal)});
  filter.allow_if(SCMP_SYS(kill), {equal(1, 0)});
  // Memory, never executable.
  filter.allow({SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise)});
  filter.allow_if(SCMP_SYS(mmap), {without(2, PROT_EXEC), with(3, MAP_ANONYMOUS)});
  filter.allow_if(SCMP_SYS(mprotect), {without(2, PROT_EXEC)});
  // The next part of the ring buffer, mapped over the previous one, read-only.
  filter.allow_if(SCMP_SYS(mmap), {equal(2, PROT_READ), equal(3, MAP_SHARED | MAP_FIXED)});
  filter.allow({SCMP_SYS(getrandom), SCMP_SYS(futex)});
  // Ending, including abort().
  filter.allow({SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
                SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(getpid),
                SCMP_SYS(gettid)});
}

// Calls for reading /proc, in a thread of its own.
void allow_reading(Filter& filter) {
  constexpr scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
  filter.allow_if(SCMP_SYS(open), {without(1, writing)});
  filter.allow_if(SCMP_SYS(openat), {without(2, writing)});
  filter.allow({SCMP_SYS(getdents64), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(readlink),
                SCMP_SYS(readlinkat)});
}

void print(std::FILE* to, const char* name, const std::vector<sock_filter>& program) {
  std::fprintf(to, "constexpr sock_filter %s[] = {\n", name);
  for (const sock_filter& line : program) {
    std::fprintf(to, "    {0x%02x, %u, %u, 0x%08x},\n", line.code, line.jt, line.jf, line.k);
  }
  std::fputs("};\n", to);
}

}  // namespace

// Usage: make_sandbox_filter FILE PROCESSOR, the latter as printed by `uname -m`.
int main(int argc, char** argv) {
  std::uint32_t processor = argc == 3 ? seccomp_arch_resolve_name(argv[2]) : 0;
  if (processor == 0) {
    fail("which file, for which processor?", EINVAL);
  }
  Filter loop(processor);
  allow_loop(loop);
  Filter reading(processor);
  allow_loop(reading);
  allow_reading(reading);
  std::FILE* file = std::fopen(argv[1], "we");
  if (file == nullptr) {
    fail(argv[1], errno);
  }
  std::fputs("// Made by vendor/tools/sandbox_filter.cpp.\n", file);
  print(file, "loop_filter", loop.program());
  print(file, "reading_filter", reading.program());
  if (std::fclose(file) != 0) {
    fail(argv[1], errno);
  }
  return 0;
}
