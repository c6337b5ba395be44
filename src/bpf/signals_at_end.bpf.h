/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Signals at the end of a process or thread: what killer.bpf.h knows goes into the record. */
#ifndef BPFTRAP_SIGNALS_AT_END_BPF_H
#define BPFTRAP_SIGNALS_AT_END_BPF_H

#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "signal_memory.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/*
 * Add what is known about a process to the record of its end. `killed_boot_ns` is the time at which
 * the killer in the record sent its signal.
 */
static __noinline int add_facts(struct bpftrap_exit_event *event, __u64 *killed_boot_ns,
                                const void *signals, __u32 sig)
{
  struct signal_facts facts = {};

  bpf_probe_read_kernel(&facts, sizeof(facts), signals);
  if (facts.killer_signal == sig && facts.killer_boot_ns < *killed_boot_ns) {
    event->killer = facts.killer;
    *killed_boot_ns = facts.killer_boot_ns;
  }
  if (facts.last_boot_ns > event->last_boot_ns) {
    event->last_sender = facts.last_sender;
    event->last_boot_ns = facts.last_boot_ns;
    event->last_signal = facts.last_signal;
  }
  return 0;
}

/* Fill in the senders at the end of a process; `current` is one of its threads. */
static __always_inline void fill_senders(struct bpftrap_exit_event *event,
                                         struct task_struct *leader, __u32 sig, _Bool second)
{
  __u64 killed_boot_ns = ~0ULL;
  __u32 which = SEARCH_OF_EXIT + second;
  struct search *search = get_search(which);

  __builtin_memset(&event->killer, 0,
                   sizeof(*event) - __builtin_offsetof(struct bpftrap_exit_event, killer));
  if (!search)
    return;
  search->thread = leader;
  for (int in_storage = 1; in_storage >= 0; in_storage--) {
    find_signals(which, in_storage);
    if (search->signals)
      add_facts(event, &killed_boot_ns, (const void *)search->signals, sig);
  }
}

/* Both are of one process, and `from` may have later facts. */
static __always_inline void merge_facts(struct signal_facts *to, const struct signal_facts *from)
{
  if (from->last_boot_ns <= to->last_boot_ns)
    return;
  to->last_sender = from->last_sender;
  to->last_signal = from->last_signal;
  to->last_boot_ns = from->last_boot_ns;
}

/*
 * A thread ends before its process does. Task storage ends with it, but if it is the leader, and
 * another thread executes a program, that one becomes the leader.
 */
static __always_inline void keep_signals(struct task_struct *thread, struct signal_struct *signal)
{
  struct signals *signals, *known;
  struct bpftrap_process_key key;

  if (!is_current_leader())
    forget_known(thread);
  if (!cfg.signal_storage || !is_current_leader() ||
      BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
    return;
  signals = bpf_task_storage_get(&task_signals, bpf_get_current_task_btf(), 0, 0);
  if (!signals)
    return;
  key = signals_key(thread);
  signals_known = 1;
  if (bpf_map_update_elem(&known_signals, &key, signals, BPF_NOEXIST)) {
    known = bpf_map_lookup_elem(&known_signals, &key);
    if (known)
      merge_facts(&known->facts, &signals->facts);
  }
  /* If the process has ended meanwhile, forget_known() may have come too early */
  if (!BPF_CORE_READ(signal, live.counter))
    bpf_map_delete_elem(&known_signals, &key);
}

#endif
