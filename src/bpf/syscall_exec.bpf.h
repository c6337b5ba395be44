/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arguments of a system call that returns, if it was execve() or execveat(): per architecture. */
#ifndef BPFTRAP_SYSCALL_EXEC_BPF_H
#define BPFTRAP_SYSCALL_EXEC_BPF_H

#include "kernel_types.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct exec_call {
  __u64 filename; /* user addresses */
  __u64 argv;
};

#if defined(__TARGET_ARCH_x86)
#define NR_EXECVE   59 /* arch/x86/entry/syscalls/syscall_64.tbl */
#define NR_EXECVEAT 322
#define TS_COMPAT   0x0002 /* arch/x86/include/asm/thread_info.h: a 32-bit system call */

/* The registers are still those that the caller came with. */
static __always_inline _Bool is_exec_call(struct task_struct *task, struct pt_regs *regs,
                                          struct exec_call *call)
{
  __u64 number = BPF_CORE_READ(regs, orig_ax);

  if (number != NR_EXECVE && number != NR_EXECVEAT)
    return 0;
  if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
    return 0; /* other calls have these numbers there */
  call->filename = number == NR_EXECVE ? BPF_CORE_READ(regs, di) : BPF_CORE_READ(regs, si);
  call->argv = number == NR_EXECVE ? BPF_CORE_READ(regs, si) : BPF_CORE_READ(regs, dx);
  return 1;
}
#elif defined(__TARGET_ARCH_arm64)
#define NR_EXECVE   221 /* include/uapi/asm-generic/unistd.h */
#define NR_EXECVEAT 281
#define TIF_32BIT   22 /* arch/arm64/include/asm/thread_info.h */

/* The first register holds the result by now; orig_x0 keeps what it was. */
static __always_inline _Bool is_exec_call(struct task_struct *task, struct pt_regs *regs,
                                          struct exec_call *call)
{
  __s32 number = BPF_CORE_READ(regs, syscallno);

  if (number != NR_EXECVE && number != NR_EXECVEAT)
    return 0;
  if (BPF_CORE_READ(task, thread_info.flags) & (1UL << TIF_32BIT))
    return 0;
  call->filename =
      number == NR_EXECVE ? BPF_CORE_READ(regs, orig_x0) : BPF_CORE_READ(regs, regs[1]);
  call->argv = number == NR_EXECVE ? BPF_CORE_READ(regs, regs[1]) : BPF_CORE_READ(regs, regs[2]);
  return 1;
}
#else
#error "bpftrap does not know the system calls of this architecture"
#endif

#endif
