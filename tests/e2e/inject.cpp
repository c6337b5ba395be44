// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/inject.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "e2e/failure.h"

namespace e2e {

namespace {

// Parts that depend on the processor. `instruction_size` is that of the system call instruction. A
// process that waits in a system call has its program counter behind it.
#if defined(__x86_64__)
constexpr unsigned instruction_size = 2;
constexpr unsigned long instruction = 0x050f;  // syscall
constexpr unsigned long instruction_mask = 0xffff;
auto& program_counter(user_regs_struct& regs) {
  return regs.rip;
}
unsigned long stack_pointer(const user_regs_struct& regs) {
  return regs.rsp;
}
void set_call(user_regs_struct& regs, long number, const std::array<unsigned long, 6>& arguments) {
  regs.rax = static_cast<unsigned long>(number);
  regs.orig_rax = ~0UL;  // else the kernel may restart the interrupted call
  regs.rdi = arguments[0];
  regs.rsi = arguments[1];
  regs.rdx = arguments[2];
  regs.r10 = arguments[3];
  regs.r8 = arguments[4];
  regs.r9 = arguments[5];
}
long result(const user_regs_struct& regs) {
  return static_cast<long>(regs.rax);
}
#elif defined(__aarch64__)
constexpr unsigned instruction_size = 4;
constexpr unsigned long instruction = 0xd4000001;  // svc #0
constexpr unsigned long instruction_mask = 0xffffffff;
auto& program_counter(user_regs_struct& regs) {
  return regs.pc;
}
unsigned long stack_pointer(const user_regs_struct& regs) {
  return regs.sp;
}
void set_call(user_regs_struct& regs, long number, const std::array<unsigned long, 6>& arguments) {
  regs.regs[8] = static_cast<unsigned long>(number);
  for (unsigned i = 0; i < arguments.size(); ++i) {
    regs.regs[i] = arguments[i];
  }
}
long result(const user_regs_struct& regs) {
  return static_cast<long>(regs.regs[0]);
}
#else
#error "add the system call convention of this processor here"
#endif

void check(bool success, const char* step) {
  if (!success) {
    throw Failure(std::string("cannot ") + step + ": " + std::strerror(errno));
  }
}

void wait_until_stopped(pid_t pid) {
  int status = 0;
  check(::waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status), "stop the process");
}

// Stops the process, and restores its registers and lets it run when destroyed.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : pid_(pid) {
    check(::ptrace(PTRACE_SEIZE, pid, 0, 0) == 0, "trace the process");
    interrupt();
    // It may run a little before it waits again.
    for (int i = 0; !is_behind_call(); ++i) {
      check(i < 10'000, "find the process in a system call");
      check(::ptrace(PTRACE_CONT, pid, 0, 0) == 0, "let the process run");
      ::usleep(1000);
      interrupt();
    }
  }
  ~Stopped() {
    write(regs_);
    ::ptrace(PTRACE_DETACH, pid_, 0, 0);
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

  const user_regs_struct& regs() const { return regs_; }

  long call(long number, const std::array<unsigned long, 6>& arguments) {
    user_regs_struct regs = regs_;
    program_counter(regs) -= instruction_size;
    set_call(regs, number, arguments);
    check(write(regs), "set registers");
    check(::ptrace(PTRACE_SINGLESTEP, pid_, 0, 0) == 0, "let the process run");
    wait_until_stopped(pid_);
    return result(read());
  }

 private:
  void interrupt() {
    check(::ptrace(PTRACE_INTERRUPT, pid_, 0, 0) == 0, "interrupt the process");
    wait_until_stopped(pid_);
    regs_ = read();
  }
  bool is_behind_call() {
    auto before = program_counter(regs_) - instruction_size;
    auto code = static_cast<unsigned long>(::ptrace(PTRACE_PEEKTEXT, pid_, before, 0));
    return (code & instruction_mask) == instruction;
  }
  user_regs_struct read() const {
    user_regs_struct regs{};
    iovec part{&regs, sizeof regs};
    check(::ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &part) == 0, "read registers");
    return regs;
  }
  bool write(user_regs_struct regs) const {
    iovec part{&regs, sizeof regs};
    return ::ptrace(PTRACE_SETREGSET, pid_, NT_PRSTATUS, &part) == 0;
  }

  pid_t pid_;
  user_regs_struct regs_{};
};

}  // namespace

long inject_call(pid_t pid, long number, const std::array<unsigned long, 6>& arguments) {
  return Stopped(pid).call(number, arguments);
}

unsigned long inject_text(pid_t pid, const char* text) {
  // Far below the stack frames of the stopped function.
  unsigned long at = (stack_pointer(Stopped(pid).regs()) - 65536) & ~15UL;
  std::size_t size = std::strlen(text) + 1;
  int memory = ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC);
  ssize_t count = ::pwrite(memory, text, size, static_cast<off_t>(at));
  ::close(memory);
  check(count == static_cast<ssize_t>(size), "write into the process");
  return at;
}

}  // namespace e2e
