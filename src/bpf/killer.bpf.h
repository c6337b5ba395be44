/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Killer: the sender of the signal that ended a process, and the sender of the last signal that
 * asked the process to end. One program notes each signal when it is generated, because the sender
 * is current then. Another one sees which of them is delivered, and the exit program looks up both.
 */
#ifndef BPFTRAP_KILLER_BPF_H
#define BPFTRAP_KILLER_BPF_H

#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "pid_numbers.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "sender.bpf.h"
#include "signal_memory.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define TRACE_SIGNAL_DELIVERED 0 /* include/trace/events/signal.h: added to a queue */
#define TRACE_SIGNAL_LOSE_INFO 4 /* the same without siginfo */

#define SIGNAL_UNKILLABLE 0x00000040 /* include/linux/sched/signal.h: init of a pid namespace */

#define SIGKILL 9 /* include/uapi/asm-generic/signal.h */

/* Signals whose default is not to end the process: kernel/signal.c sig_kernel_ignore(), _stop(). */
#define NEVER_FATAL                                                                    \
  (SIGNAL_BIT(17) /* CHLD */ | SIGNAL_BIT(18) /* CONT */ | SIGNAL_BIT(19) /* STOP */ | \
   SIGNAL_BIT(20) /* TSTP */ | SIGNAL_BIT(21) /* TTIN */ | SIGNAL_BIT(22) /* TTOU */ | \
   SIGNAL_BIT(23) /* URG */ | SIGNAL_BIT(28) /* WINCH */)

/* Signals that ask a process to end: last_signal is one of them. */
#define REQUESTS                                                                  \
  (SIGNAL_BIT(1) /* HUP */ | SIGNAL_BIT(2) /* INT */ | SIGNAL_BIT(3) /* QUIT */ | \
   SIGNAL_BIT(6) /* ABRT */ | SIGNAL_BIT(15) /* TERM */)

/* Bytes of siginfo from si_code on: the code, and pid, uid and value of the sender. */
struct origin {
  __u32 code;
  __u32 padding;
  __u32 pid;
  __u32 uid;
  __u64 value;
};

static __always_inline struct origin read_origin(struct kernel_siginfo *info)
{
  struct origin origin = {};

  bpf_probe_read_kernel(&origin, sizeof(origin), &info->si_code);
  return origin;
}

/* Two signals of one number that differ in their origin nearly always differ in this. */
static __always_inline __u64 digest_of(const struct origin *origin)
{
  const __u64 factor = 0x9e3779b97f4a7c15ULL;
  __u64 digest = origin->code;

  digest = digest * factor + ((__u64)origin->pid << 32 | origin->uid);
  return digest * factor + origin->value;
}

/* The hook's arguments, as plain numbers: the verifier does not allow to compute with pointers. */
struct generated {
  __u64 sig;
  __u64 info;
  struct task_struct *task;
  __u64 group;
  __u64 result;
};

/*
 * Remember a signal until it is delivered. It is the last one in its queue. The kernel keeps no
 * siginfo of a signal that it could not allocate, and delivers zeros.
 */
static __always_inline void add_note(struct signals *signals, struct task_struct *leader,
                                     const struct generated *event,
                                     const struct bpftrap_sender *sender)
{
  struct task_struct *receiver = event->task;
  __u64 shared = is_set((__u32)event->group), queue;
  struct signal_struct *signal = BPF_CORE_READ(receiver, signal);
  struct arrival *arrival;
  struct origin origin;
  struct note *note;
  __u32 zero = 0;

  arrival = bpf_map_lookup_elem(&arrivals, &zero);
  if (!arrival)
    return;
  queue =
      select(shared, (__u64)signal + bpf_core_field_offset(struct signal_struct, shared_pending),
             (__u64)receiver + bpf_core_field_offset(struct task_struct, pending));
  arrival->queue = (struct sigpending *)queue;
  arrival->sig = (__u32)event->sig;
  arrival->shared = shared;
  arrival->signal = signal;
  arrival->signals = (__u64)signals;
  arrival->thread = (void *)select(shared, (__u64)leader, (__u64)receiver);
  if (signals->used)
    signals->used = valid_notes(signals->used);
  note = take_note(signals);
  if (!note)
    return;
  origin = read_origin(&sigqueue_of(BPF_CORE_READ((struct sigpending *)queue, list.prev))->info);
  note->origin = digest_of(&origin) & -is_equal((__u32)event->result, TRACE_SIGNAL_DELIVERED);
  note->sender = *sender;
  note->signal = event->sig;
  note->shared = shared;
}

/* Note what the record of the process's end will say. */
static __always_inline void note_facts(struct signal_facts *facts, __u32 sig, __u64 kills,
                                       __u64 is_request, const struct bpftrap_sender *sender)
{
  __u64 now;

  if (!(kills | is_request))
    return;
  now = bpf_ktime_get_boot_ns();
  /* A later signal with the same number has no effect any more */
  if (kills) {
    if (facts->killer_signal == sig)
      return;
    facts->killer_signal = sig;
    facts->killer = *sender;
    facts->killer_boot_ns = now;
  }
  if (is_request) {
    facts->last_sender = *sender;
    facts->last_signal = sig;
    facts->last_boot_ns = now;
  }
}

/*
 * Hook: kernel/signal.c __send_signal_locked(), at its end, under the receiver's siglock. A signal
 * that ends the process at once has set SIGNAL_GROUP_EXIT by then (complete_signal()).
 */
static __always_inline int note_signal(const __u64 *ctx, struct task_struct *task)
{
  struct task_struct *receiver, *leader, *current = (void *)bpf_get_current_task();
  __u64 bit, queued, ending, kills, to_leader, from_process, matters;
  struct signal_struct *signal;
  struct signals *process, *signals;
  struct bpftrap_sender sender;
  struct generated event;
  __u32 tgid, sig;

  /* Ignore signals that end no process, and those that were dropped */
  bpf_probe_read_kernel(&event, sizeof(event), ctx);
  sig = event.sig;
  bit = SIGNAL_BIT(sig);
  if (bit & NEVER_FATAL)
    return 0;
  receiver = event.task;
  signal = BPF_CORE_READ(receiver, signal);
  queued = is_equal((__u32)event.result, TRACE_SIGNAL_DELIVERED) |
           is_equal((__u32)event.result, TRACE_SIGNAL_LOSE_INFO);
  ending = is_set(BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT);
  kills = ending & queued & is_equal(BPF_CORE_READ(signal, group_exit_code) & 0x7f, sig);
  if (!((kills | is_clear(ending)) & (queued | is_set(bit & REQUESTS))))
    return 0;

  /* Know the sender. Without one, the signal matters only if it may be taken for an earlier one */
  tgid = BPF_CORE_READ(receiver, tgid);
  leader = BPF_CORE_READ(receiver, group_leader);
  to_leader = is_equal((__u64)leader, (__u64)receiver);
  from_process = is_sent_by(current, event.info) & is_set(bpf_get_current_pid_tgid() >> 32 ^ tgid);
  matters = from_process | kills;
  if (!(matters | to_leader))
    matters = has_notes((__u64)leader);
  process = process_signals(task, leader, to_leader, matters);
  if (!process)
    return 0;
  if (!BPF_CORE_READ(signal, live.counter)) {
    forget_known(leader); /* the end of the process may have come before the entry */
    return 0;
  }
  fill_sender(&sender, BPF_CORE_READ(current, group_leader));
  sender.pid &= -from_process;
  note_facts(&process->facts, sig, kills, from_process & is_set(bit & REQUESTS), &sender);
  if (!(queued & is_clear(kills)))
    return 0;

  /* Any thread may take a signal that is shared */
  signals = to_leader | is_set((__u32)event.group) ? process : signals_of(task, 1);
  if (signals)
    add_note(signals, leader, &event, &sender);
  return 0;
}

/*
 * Return true if the tracer of `task` put this signal in the place of another one: kernel/signal.c
 * ptrace_signal() makes siginfo that names the tracer, as a number in the namespace of `task`.
 */
static __always_inline _Bool is_injected(struct task_struct *task, struct task_struct *tracer,
                                         const struct origin *origin)
{
  struct pid *own = BPF_CORE_READ(task, thread_pid), *other = BPF_CORE_READ(tracer, thread_pid);
  __u32 level = BPF_CORE_READ(own, level);
  struct upid number = {};

  if (origin->code != SI_USER)
    return 0;
  if (BPF_CORE_READ(other, level) >= level) {
    number = pid_number(other, level);
    if (number.ns != pid_number(own, level).ns)
      number.nr = 0;
  }
  return origin->pid == (__u32)number.nr;
}

/* If nobody noted the signal, the sender may be the tracer of the process. */
__noinline int find_injection(__u32 which, __u64 info)
{
  struct task_struct *task = (struct task_struct *)bpf_get_current_task(), *tracer;
  struct search *search = get_search(which);
  struct origin origin;

  if (!search || search->found || !BPF_CORE_READ(task, ptrace))
    return 0;
  tracer = BPF_CORE_READ(task, parent);
  origin = read_origin((struct kernel_siginfo *)info);
  if (is_injected(task, tracer, &origin))
    fill_sender(&search->sender, BPF_CORE_READ(tracer, group_leader));
  return 0;
}

/* Number of signals with this siginfo among the first QUEUE_STEPS of a queue, by its address. */
__noinline int count_pending(__u32 which, __u64 queue)
{
  const struct search *search = get_search(which);
  struct list_head *head = (void *)queue + bpf_core_field_offset(struct sigpending, list);
  struct list_head *node = BPF_CORE_READ(head, next);
  struct kernel_siginfo *info;
  struct origin origin;
  int count = 0;

  if (!search)
    return 0;
  for (int i = 0; i < QUEUE_STEPS && node != head; i++) {
    info = &sigqueue_of(node)->info;
    origin = read_origin(info);
    count += is_clear((digest_of(&origin) ^ search->origin) |
                      ((__u32)BPF_CORE_READ(info, si_signo) ^ search->sig));
    node = BPF_CORE_READ(node, next);
  }
  return count;
}

/*
 * If several signals look alike and have different senders, the notes must be those of the one that
 * is delivered and of those that are pending still. Else it is open which one is delivered.
 */
static __always_inline _Bool is_certain(const struct search *search)
{
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  struct signal_struct *signal;
  __u32 pending;

  if (!search->differ)
    return 1;
  signal = BPF_CORE_READ(task, signal);
  pending = count_pending(SEARCH_OF_DELIVERY,
                          (__u64)task + bpf_core_field_offset(struct task_struct, pending));
  pending +=
      count_pending(SEARCH_OF_DELIVERY,
                    (__u64)signal + bpf_core_field_offset(struct signal_struct, shared_pending));
  return !search->is_mixed && search->found == pending + 1;
}

/*
 * Search everything that is known about signals to `task`, which is current, and to its process.
 * Signals to the process are noted in the task storage of the leader, or if they were sent by the
 * id of another thread, in the leader's entry of known_signals.
 */
static __always_inline void find_sender(struct search *search, struct task_struct *task,
                                        struct task_struct *leader, __u64 info)
{
  _Bool is_leader = is_current_leader();

  /* First in task storage, then in known_signals */
  for (int in_storage = 1; in_storage >= 0; in_storage--) {
    search->thread = task;
    find_signals(SEARCH_OF_DELIVERY, in_storage);
    search_notes(SEARCH_OF_DELIVERY, 0);
    if (!is_leader) {
      search->thread = leader;
      find_signals(SEARCH_OF_DELIVERY, in_storage);
      search_notes(SEARCH_OF_DELIVERY, 1);
    }
  }
  if (!is_certain(search))
    search->sender.pid = 0;
  find_injection(SEARCH_OF_DELIVERY, info);
}

/*
 * Hook: kernel/signal.c get_signal(), under siglock; the receiver is current. There is no siginfo
 * if the process is ending already. The process ends by this signal, unless another thread that
 * gets another one is faster.
 */
static __always_inline int note_delivery(int sig, struct kernel_siginfo *info,
                                         struct k_sigaction *action)
{
  struct search *search = get_search(SEARCH_OF_DELIVERY);
  struct task_struct *task, *leader;
  struct signals *process;
  struct origin origin;

  /* Ignore signals that do not end the process */
  if (!search || (__u64)info <= SEND_SIG_PRIV || SIGNAL_BIT(sig) & NEVER_FATAL ||
      BPF_CORE_READ(action, sa.sa_handler) /* SIG_DFL is 0 */)
    return 0;
  task = cfg.signal_storage ? bpf_get_current_task_btf() : (void *)bpf_get_current_task();
  if (BPF_CORE_READ(task, signal, flags) & SIGNAL_UNKILLABLE)
    return 0;

  /* Find the sender */
  leader = BPF_CORE_READ(task, group_leader);
  origin = read_origin(info);
  __builtin_memset(search, 0, sizeof(*search));
  search->origin = digest_of(&origin);
  search->sig = sig;
  find_sender(search, task, leader, (__u64)info);
  process = process_signals(task, leader, is_current_leader(), search->sender.pid != 0);
  if (process)
    note_facts(&process->facts, sig, 1, 0, &search->sender);
  return 0;
}

#endif
