/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Killer: the sender of the signal that ended a process. The sender is current when the signal is
 * generated, not when the receiver dies of it, so one program notes it and another looks it up.
 */
#ifndef BPFTRAP_KILLER_BPF_H
#define BPFTRAP_KILLER_BPF_H

#include "compat.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define TRACE_SIGNAL_DELIVERED 0   /* include/trace/events/signal.h */
#define SEND_SIG_NOINFO        0UL /* include/linux/sched/signal.h: as if sent by kill() of current */
#define SEND_SIG_PRIV          1UL /* the same file: sent by the kernel */
#define SI_USER                0   /* include/uapi/asm-generic/siginfo.h */
#define SI_QUEUE               (-1)
#define SI_TKILL               (-6)
#define SIGKILL                9 /* include/uapi/asm-generic/signal.h */

/* Signals whose default is not to end the process: kernel/signal.c sig_kernel_ignore(), _stop(). */
#define SIGNAL_BIT(n) (1ULL << ((n)-1))
#define NEVER_FATAL                                                                    \
  (SIGNAL_BIT(17) /* CHLD */ | SIGNAL_BIT(18) /* CONT */ | SIGNAL_BIT(19) /* STOP */ | \
   SIGNAL_BIT(20) /* TSTP */ | SIGNAL_BIT(21) /* TTIN */ | SIGNAL_BIT(22) /* TTOU */ | \
   SIGNAL_BIT(23) /* URG */ | SIGNAL_BIT(28) /* WINCH */)

struct sender {
  __u32 pid;       /* 0: the kernel, or the process itself */
  __u32 local_pid; /* in bpftrap's own pid namespace; 0: outside it */
  __u32 decided;   /* 1: the process was already dying of this signal when it was noted */
  char comm[BPFTRAP_COMM_SIZE];
};

/*
 * Last sender of each signal that could end a process, by process and signal. Only signals that
 * meet the default action, or are blocked, are noted. The entry is removed when the process ends.
 */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 8192);
  __type(key, struct bpftrap_process_key);
  __type(value, struct sender);
} senders SEC(".maps");

static __always_inline _Bool sent_by_process(struct kernel_siginfo *info)
{
  int code = SI_USER;

  if ((unsigned long)info == SEND_SIG_PRIV)
    return 0;
  if ((unsigned long)info != SEND_SIG_NOINFO)
    bpf_probe_read_kernel(&code, sizeof(code), &info->si_code);
  return code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
}

/* sighand->action[sig - 1].sa.sa_handler */
static __always_inline __u64 handler_of(struct task_struct *task, int sig)
{
  __u64 at = (__u64)BPF_CORE_READ(task, sighand), handler = 0;

  at += bpf_core_field_offset(struct sighand_struct, action) +
        (sig - 1) * bpf_core_type_size(struct k_sigaction) +
        bpf_core_field_offset(struct k_sigaction, sa.sa_handler);
  bpf_probe_read_kernel(&handler, sizeof(handler), (const void *)at);
  return handler;
}

/*
 * Hook: kernel/signal.c __send_signal_locked(), at its end, under the receiver's siglock; current
 * is the sender. A signal that ends the process at once has set SIGNAL_GROUP_EXIT by then
 * (complete_signal()).
 */
static __always_inline int note_sender(int sig, struct kernel_siginfo *info,
                                       struct task_struct *task, int result)
{
  struct task_struct *leader, *current;
  struct signal_struct *signal;
  struct sender sender = {}, *known;
  struct bpftrap_process_key key;
  __u64 bit;

  if (result != TRACE_SIGNAL_DELIVERED || sig < 1 || sig > 64)
    return 0;
  bit = SIGNAL_BIT(sig);
  if (bit & NEVER_FATAL)
    return 0;
  if (!(BPF_CORE_READ(task, blocked.sig[0]) & bit) && handler_of(task, sig)) /* SIG_DFL is 0 */
    return 0;
  leader = BPF_CORE_READ(task, group_leader);
  signal = BPF_CORE_READ(task, signal);
  key = (struct bpftrap_process_key){
      .start_boot_ns = task_start_boot_ns(leader),
      .pid = BPF_CORE_READ(leader, tgid),
      .extra = sig,
  };
  known = bpf_map_lookup_elem(&senders, &key);
  if (known && known->decided)
    return 0;
  if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT) {
    if ((BPF_CORE_READ(signal, group_exit_code) & 0x7f) != sig)
      return 0;
    sender.decided = 1;
  }
  current = (void *)bpf_get_current_task();
  if (sent_by_process(info) && (__u32)BPF_CORE_READ(current, tgid) != key.pid) {
    current = BPF_CORE_READ(current, group_leader);
    sender.pid = BPF_CORE_READ(current, tgid);
    sender.local_pid = local_pid_of(current, sender.pid);
    bpf_probe_read_kernel(sender.comm, sizeof(sender.comm), &current->comm);
  } else if (!known && !sender.decided) {
    return 0; /* no sender, and no earlier one to replace */
  }
  bpf_map_update_elem(&senders, &key, &sender, BPF_ANY);
  return 0;
}

/*
 * Fill in the sender of `sig`, the signal that ends the process, or 0. Return false if no process
 * sent it. `current` is one of the threads of the process that ends.
 */
static __always_inline _Bool take_killer(struct bpftrap_exit_event *event, __u64 start_boot_ns,
                                         int sig)
{
  struct bpftrap_process_key key = {
      .start_boot_ns = start_boot_ns,
      .pid = bpf_get_current_pid_tgid() >> 32,
      .extra = sig,
  };
  struct sender *sender = sig ? bpf_map_lookup_elem(&senders, &key) : 0;

  if (!sender || !sender->pid) {
    event->killer_pid = 0;
    event->killer_local_pid = 0;
    __builtin_memset(event->killer_comm, 0, sizeof(event->killer_comm));
  } else {
    event->killer_pid = sender->pid;
    event->killer_local_pid = sender->local_pid;
    __builtin_memcpy(event->killer_comm, sender->comm, sizeof(event->killer_comm));
  }
  if (sender)
    bpf_map_delete_elem(&senders, &key);
  return event->killer_pid != 0;
}

#endif
