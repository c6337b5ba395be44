/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arguments of a system call that returns, if it was execve() or execveat(): per architecture. */
#ifndef BPFTRAP_SYSCALL_EXEC_BPF_H
#define BPFTRAP_SYSCALL_EXEC_BPF_H

#include "kernel_types.bpf.h"
#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct exec_call {
  __u64 filename; /* user addresses */
  __u64 argv;
  __u64 flags;        /* of execveat(), else 0 */
  __u32 pointer_size; /* of the caller's pointers: 4 or 8 */
};

#define AT_EXECVE_CHECK 0x10000 /* include/uapi/linux/fcntl.h, since 6.14: execute nothing */

#if defined(__TARGET_ARCH_x86)
/* arch/x86/entry/syscalls/syscall_64.tbl, syscall_32.tbl */
#define NR_EXECVE       59
#define NR_EXECVEAT     322
#define NR_EXECVE_32    11
#define NR_EXECVEAT_32  358
#define NR_EXECVE_X32   (0x40000000 + 520) /* __X32_SYSCALL_BIT */
#define NR_EXECVEAT_X32 (0x40000000 + 545)
#define TS_COMPAT       0x0002 /* arch/x86/include/asm/thread_info.h: a 32-bit system call */

static __always_inline _Bool is_exec_number(__u64 number)
{
  return number == NR_EXECVE || number == NR_EXECVEAT || number == NR_EXECVE_32 ||
         number == NR_EXECVEAT_32 || number == NR_EXECVE_X32 || number == NR_EXECVEAT_X32;
}

/* A 32-bit call has its arguments in ebx, ecx, edx, esi and edi: arch/x86/entry/entry_64_compat.S.
 */
static __always_inline _Bool read_call_32(__u64 number, struct pt_regs *regs,
                                          struct exec_call *call)
{
  if (number != NR_EXECVE_32 && number != NR_EXECVEAT_32)
    return 0;
  call->pointer_size = 4;
  if (number == NR_EXECVE_32) {
    call->filename = (__u32)BPF_CORE_READ(regs, bx);
    call->argv = (__u32)BPF_CORE_READ(regs, cx);
    return 1;
  }
  call->filename = (__u32)BPF_CORE_READ(regs, cx);
  call->argv = (__u32)BPF_CORE_READ(regs, dx);
  call->flags = (__u32)BPF_CORE_READ(regs, di);
  return 1;
}

/* The registers are still those that the caller came with. */
static __always_inline _Bool is_exec_call(struct task_struct *task, struct pt_regs *regs,
                                          struct exec_call *call)
{
  __u64 number = BPF_CORE_READ(regs, orig_ax);

  if (!is_exec_number(number))
    return 0;
  call->flags = 0;
  /* The numbers of one table are other calls in the other one */
  if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
    return read_call_32(number, regs, call);
  if (number == NR_EXECVE_32 || number == NR_EXECVEAT_32)
    return 0;
  call->pointer_size = number > NR_EXECVEAT ? 4 : 8;
  if (number == NR_EXECVE || number == NR_EXECVE_X32) {
    call->filename = BPF_CORE_READ(regs, di);
    call->argv = BPF_CORE_READ(regs, si);
    return 1;
  }
  call->filename = BPF_CORE_READ(regs, si);
  call->argv = BPF_CORE_READ(regs, dx);
  call->flags = BPF_CORE_READ(regs, r8);
  return 1;
}
#elif defined(__TARGET_ARCH_arm64)
#define NR_EXECVE      221 /* include/uapi/asm-generic/unistd.h */
#define NR_EXECVEAT    281
#define NR_EXECVE_32   11 /* arch/arm/tools/syscall.tbl */
#define NR_EXECVEAT_32 387
#define TIF_32BIT      22 /* arch/arm64/include/asm/thread_info.h */

/* The first register holds the result by now; orig_x0 keeps what it was. */
static __always_inline _Bool is_exec_call(struct task_struct *task, struct pt_regs *regs,
                                          struct exec_call *call)
{
  __s32 number = BPF_CORE_READ(regs, syscallno);
  _Bool narrow;

  if (number != NR_EXECVE && number != NR_EXECVEAT && number != NR_EXECVE_32 &&
      number != NR_EXECVEAT_32)
    return 0;
  /* The numbers of one table are other calls in the other one */
  narrow = (BPF_CORE_READ(task, thread_info.flags) & (1UL << TIF_32BIT)) != 0;
  if (narrow != (number == NR_EXECVE_32 || number == NR_EXECVEAT_32))
    return 0;
  call->pointer_size = narrow ? 4 : 8;
  call->flags = 0;
  if (number == NR_EXECVE || number == NR_EXECVE_32) {
    call->filename = BPF_CORE_READ(regs, orig_x0);
    call->argv = BPF_CORE_READ(regs, regs[1]);
    return 1;
  }
  call->filename = BPF_CORE_READ(regs, regs[1]);
  call->argv = BPF_CORE_READ(regs, regs[2]);
  call->flags = BPF_CORE_READ(regs, regs[4]);
  return 1;
}
#else
#error "bpftrap does not know the system calls of this architecture"
#endif

#endif
