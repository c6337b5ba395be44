// SPDX-License-Identifier: GPL-2.0-only
// How the programs read memory of the kernel: by plain loads since 6.17, else by calls.
#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/supervised.h"

namespace e2e {
namespace {

constexpr const char* kernel_btf = "/sys/kernel/btf/vmlinux";

bool kernel_may_read_directly() {
  utsname name{};
  int major = 0, minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) {
    throw Failure("cannot read the kernel's version");
  }
  return major > 6 || (major == 6 && minor >= 17);
}

bpf_prog_info info_of(std::uint32_t id, std::vector<bpf_insn>& room) {
  bpf_attr find{};
  find.prog_id = id;
  int fd = static_cast<int>(::syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &find, sizeof find));
  bpf_prog_info info{};
  info.xlated_prog_insns = reinterpret_cast<std::uint64_t>(room.data());
  info.xlated_prog_len = static_cast<std::uint32_t>(room.size() * sizeof(bpf_insn));
  bpf_attr ask{};
  ask.info.bpf_fd = static_cast<std::uint32_t>(fd);
  ask.info.info_len = sizeof info;
  ask.info.info = reinterpret_cast<std::uint64_t>(&info);
  long err = fd < 0 ? -1 : ::syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof ask);
  ::close(fd);
  if (err != 0) {
    throw Failure("cannot look at a BPF program");
  }
  return info;
}

// Number of calls of the kernel's functions in the program of a tracer.
long calls_in(const std::string& program, pid_t pid) {
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    for (const std::string& line : lines_of_file(entry.path())) {
      if (line.rfind("prog_id:\t", 0) != 0) {
        continue;
      }
      std::vector<bpf_insn> instructions(65536);
      bpf_prog_info info =
          info_of(static_cast<std::uint32_t>(std::atoi(line.c_str() + 9)), instructions);
      if (info.name == program.substr(0, sizeof info.name - 1)) {
        instructions.resize(info.xlated_prog_len / sizeof(bpf_insn));
        return std::count_if(
            instructions.begin(), instructions.end(), [](const bpf_insn& instruction) {
              return instruction.code == (BPF_JMP | BPF_CALL) && instruction.src_reg == 0;
            });
      }
    }
  }
  throw Failure("no program " + program);
}

// Runs a tracer, checks its records, and returns the calls in its program of births.
long calls_of(std::vector<std::string> options, const Bpftrap::Setup& setup = {}) {
  options.insert(options.begin(), {"exec", "--json", "--event", "+fork"});
  Bpftrap bpftrap(options, setup);
  bpftrap.await_start();
  long calls = calls_in("on_fork", bpftrap.pid());
  Ended process = run_workload({"exit", "3"});
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  EXPECT_EQ(bpftrap.errors(), "");
  bpftrap.record_of(process, "fork");
  bpftrap.record_of(process, "exec");
  EXPECT_EQ(bpftrap.record_of(process, "exit").number("exit_code"), 3U);
  return calls;
}

bool read_memory(pid_t pid, std::uint64_t from, void* to, std::size_t size) {
  iovec own{to, size};
  iovec other{reinterpret_cast<void*>(from), size};
  return ::process_vm_readv(pid, &own, 1, &other, 1, 0) == static_cast<ssize_t>(size);
}

// Whether the bpf() call loads a program that calls a function of the kernel that is no helper.
bool loads_direct_reads(const seccomp_notif& call) {
  std::uint64_t head[2] = {};  // type and count of instructions, and their address
  if (call.data.args[0] != BPF_PROG_LOAD ||
      !read_memory(static_cast<pid_t>(call.pid), call.data.args[1], head, sizeof head)) {
    return false;
  }
  std::vector<bpf_insn> instructions(head[0] >> 32);
  return read_memory(static_cast<pid_t>(call.pid), head[1], instructions.data(),
                     instructions.size() * sizeof(bpf_insn)) &&
         std::any_of(instructions.begin(), instructions.end(), [](const bpf_insn& instruction) {
           return instruction.code == (BPF_JMP | BPF_CALL) &&
                  instruction.src_reg == BPF_PSEUDO_KFUNC_CALL;
         });
}

class DirectReadsTest : public TracingTest {};

TEST_F(DirectReadsTest, SinceTheKernelAllowsThem) {
  long usual = calls_of({});
  long by_calls = calls_of({"--btf", kernel_btf});
  if (kernel_may_read_directly()) {
    EXPECT_LT(2 * usual, by_calls);
  } else {
    EXPECT_EQ(usual, by_calls);
  }
}

TEST_F(DirectReadsTest, AreReplacedIfTheKernelRefusesThem) {
  SupervisedBpftrap supervised({"exec", "--json"}, [](const seccomp_notif& call, pid_t) {
    return loads_direct_reads(call) ? EINVAL : 0;
  });
  Bpftrap& bpftrap = supervised.bpftrap();
  bpftrap.await_start();
  EXPECT_EQ(supervised.refused() > 0, kernel_may_read_directly());
  Ended process = run_workload({"exit", "3"});
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  EXPECT_EQ(bpftrap.errors(), "") << "nothing that matters to the user has failed";
  bpftrap.record_of(process, "exec");
  EXPECT_EQ(bpftrap.record_of(process, "exit").number("exit_code"), 3U);
  EXPECT_EQ(supervised.wait(), 0);
}

}  // namespace
}  // namespace e2e
