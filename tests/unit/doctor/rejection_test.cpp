// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/rejection.h"

#include <gtest/gtest.h>

#include "core/doctor/diagnosis.h"

namespace bpftrap {
namespace {

using Lines = std::vector<std::string>;

// As Linux 6.18 and libbpf 1.4 write it.
const Lines rejected{
    "libbpf: prog 'on_write': BPF program load failed: Permission denied",
    "libbpf: prog 'on_write': -- BEGIN PROG LOAD LOG --",
    "0: R1=ctx() R10=fp0",
    ";   event = bpf_ringbuf_reserve(&records, sizeof(*event), 0); @ hello.bpf.c:11",
    "0: (18) r1 = 0xffff8881402ff600       ; R1=map_ptr(map=records,ks=0,vs=0)",
    "4: (85) call bpf_ringbuf_reserve#131          ; R0=ringbuf_mem_or_null(id=2)",
    ";   event->pid = bpf_get_current_pid_tgid() >> 32; @ hello.bpf.c:6",
    "14: (85) call bpf_get_current_pid_tgid#14     ; R0=scalar() refs=2",
    "16: (63) *(u32 *)(r6 +16) = r0",
    "R6 invalid mem access 'ringbuf_mem_or_null'",
    "processed 11 insns (limit 1000000) max_states_per_insn 0 total_states 1",
    "-- END PROG LOAD LOG --",
    "libbpf: prog 'on_write': failed to load: -13",
    "libbpf: failed to load object 'hello_bpf'",
};

TEST(Rejection, NamesProgramSourceInstructionAndReason) {
  auto rejection = find_rejection(rejected);
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection->program, "on_write");
  EXPECT_EQ(
      rejection_lines(*rejection),
      (Lines{"hello.bpf.c:6: event->pid = bpf_get_current_pid_tgid() >> 32;",
             "16: (63) *(u32 *)(r6 +16) = r0", "R6 invalid mem access 'ringbuf_mem_or_null'"}));
}

TEST(Rejection, ReadsTheLogsOfOlderKernels) {
  Lines log = rejected;
  log[6] = "; event->pid = bpf_get_current_pid_tgid() >> 32;";
  EXPECT_EQ(find_rejection(log)->source, "event->pid = bpf_get_current_pid_tgid() >> 32;");
  log[6] = ";  @ hello.bpf.c:6";  // the text was not there when the program was compiled
  EXPECT_EQ(find_rejection(log)->source, "hello.bpf.c:6");
}

TEST(Rejection, TakesThePartsThatTheLogHas) {
  // The beginning was dropped.
  auto rejection = find_rejection(Lines(rejected.begin() + 9, rejected.end()));
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection->program, "on_write");
  EXPECT_EQ(rejection_lines(*rejection), Lines{"R6 invalid mem access 'ringbuf_mem_or_null'"});
  // The program was rejected before its first instruction was looked at.
  rejection = find_rejection(Lines{"-- BEGIN PROG LOAD LOG --", "unreachable insn 3",
                                   "processed 0 insns (limit 1000000)"});
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection_lines(*rejection), Lines{"unreachable insn 3"});
  EXPECT_FALSE(find_rejection(Lines{"libbpf: failed to find valid kernel BTF"}));
  EXPECT_FALSE(find_rejection({}));
}

TEST(Rejection, ExplanationSpeaksToAuthorsAndUsers) {
  EXPECT_EQ(explain_failure(Facts(), EACCES, rejected),
            "this kernel's verifier rejects on_write; if you did not change it, please report this "
            "with the output of --verbose");
  EXPECT_EQ(explain_failure(Facts(), EACCES, {}).find("verifier"), std::string::npos);
}

}  // namespace
}  // namespace bpftrap
