/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sender of a signal: the process that is current when the signal is generated. Siginfo names the
 * sender, too, but rt_sigqueueinfo() lets the sender choose what it says.
 */
#ifndef BPFTRAP_SENDER_BPF_H
#define BPFTRAP_SENDER_BPF_H

#include "compat.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "read.bpf.h"
#include "verifier.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define SEND_SIG_NOINFO 0UL /* include/linux/sched/signal.h: as if sent by kill() of current */
#define SEND_SIG_PRIV   1UL /* the same file: sent by the kernel */

#define SI_USER  0 /* include/uapi/asm-generic/siginfo.h */
#define SI_QUEUE (-1)
#define SI_TKILL (-6)

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

/* At least the size of any kernel stack, and less than the distance to any other object. */
#define STACK_ROOM (64U << 10)

/*
 * Return 1 if siginfo is on the stack of `current`. It is there if a system call copied it from
 * user space. The siginfo of a timer is part of the timer, and that of an interrupt is on the
 * interrupt's own stack.
 */
static __always_inline __u64 is_on_stack(__u64 info, struct task_struct *current)
{
  return is_clear((info - (__u64)BPF_CORE_READ(current, stack)) / STACK_ROOM);
}

/*
 * Return 1 if `current` sent the signal, and 0 if the kernel raised it. Only the kernel sets
 * positive codes (kernel/signal.c do_rt_sigqueueinfo()). Negative ones may be forged.
 */
static __always_inline __u64 is_sent_by(struct task_struct *current, __u64 info)
{
  __u64 is_user = is_clear(BPF_CORE_READ(current, flags) & PF_KTHREAD);
  __s32 bytes = SI_USER; /* with SEND_SIG_NOINFO the read fails, and leaves 0 */
  __u64 is_usual;
  __s64 code;

  bpf_probe_read_kernel(&bytes, sizeof(bytes),
                        (void *)info + bpf_core_field_offset(struct kernel_siginfo, si_code));
  code = bytes;
  is_usual = is_clear(code) | is_equal(code, SI_QUEUE) | is_equal(code, SI_TKILL);
  return is_set(info ^ SEND_SIG_PRIV) & is_user &
         (is_usual | ((__u64)code >> 63 & is_on_stack(info, current)));
}

static __always_inline void fill_sender(struct bpftrap_sender *out, struct task_struct *leader)
{
  out->start_boot_ns = task_start_boot_ns(leader);
  out->pid = BPF_CORE_READ(leader, tgid);
  out->local_pid = local_pid_of(leader, out->pid);
  READ_BYTES(out->comm, sizeof(out->comm), &leader->comm);
}

#endif
