/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cost of a process that ends: the sum of its threads. */
#ifndef BPFTRAP_PROCESS_COSTS_BPF_H
#define BPFTRAP_PROCESS_COSTS_BPF_H

#include "kernel_types.bpf.h"
#include "read.bpf.h"
#include "span.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Times in ns. */
struct totals {
  __u64 utime;
  __u64 stime;
  __u64 runtime;
  __u64 min_flt;
  __u64 maj_flt;
  __u64 nvcsw;
  __u64 nivcsw;
  __u64 io_read;
  __u64 io_write;
  __u64 prev_utime; /* from here on of the process, not a sum of threads */
  __u64 prev_stime;
  __u64 maxrss; /* pages */
};

/* One entry for each copy of on_exit. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct totals);
} costs SEC(".maps");

/*
 * Set the totals of threads already reaped: kernel/exit.c __exit_signal(). This function and
 * add_thread() are verified once, and not for each of their callers: path.bpf.h.
 */
__noinline int set_released(__u32 which, __u64 signal_address)
{
  const struct signal_struct *signal = (const struct signal_struct *)signal_address;
  struct totals *sum = bpf_map_lookup_elem(&costs, &which);
  char bytes[128] SPAN_ALIGNED; /* the stack is 512 bytes, those of the callers included */

  if (!sum)
    return 0;
  READ_FIELDS(struct signal_struct, signal, bytes, (utime, sum->utime), (stime, sum->stime),
              (prev_cputime.utime, sum->prev_utime), (prev_cputime.stime, sum->prev_stime),
              (nvcsw, sum->nvcsw), (nivcsw, sum->nivcsw), (min_flt, sum->min_flt),
              (maj_flt, sum->maj_flt));
  if (bpf_core_field_exists(signal->ioac.read_bytes)) {
    READ_FIELDS(struct signal_struct, signal, bytes, (maxrss, sum->maxrss),
                (ioac.read_bytes, sum->io_read), (ioac.write_bytes, sum->io_write),
                (sum_sched_runtime, sum->runtime));
  } else {
    sum->io_read = 0;
    sum->io_write = 0;
    READ_FIELDS(struct signal_struct, signal, bytes, (maxrss, sum->maxrss),
                (sum_sched_runtime, sum->runtime));
  }
  return 0;
}

/* Add a thread to the totals. */
__noinline int add_thread(__u32 which, __u64 thread_address)
{
  const struct task_struct *thread = (const struct task_struct *)thread_address;
  struct totals *sum = bpf_map_lookup_elem(&costs, &which);
  char bytes[48] SPAN_ALIGNED;
  __u64 a, b, c, d;

  if (!sum)
    return 0;
  READ_FIELDS(struct task_struct, thread, bytes, (utime, a), (stime, b));
  sum->utime += a;
  sum->stime += b;
  READ_FIELDS(struct task_struct, thread, bytes, (nvcsw, a), (nivcsw, b), (min_flt, c),
              (maj_flt, d));
  sum->nvcsw += a;
  sum->nivcsw += b;
  sum->min_flt += c;
  sum->maj_flt += d;
  sum->runtime += BPF_CORE_READ(thread, se.sum_exec_runtime);
  if (bpf_core_field_exists(thread->ioac.read_bytes)) {
    READ_FIELDS(struct task_struct, thread, bytes, (ioac.read_bytes, a), (ioac.write_bytes, b));
    sum->io_read += a;
    sum->io_write += b;
  }
  return 0;
}

struct thread_walk {
  struct signal_struct *signal;
  struct list_head *head;
  struct list_head *node;
  __u32 which;
};

static long visit_thread(__u32 index __attribute__((unused)), struct thread_walk *walk)
{
  struct list_head *node = walk->node;

  if (!node || node == walk->head)
    return 1;
  walk->node = BPF_CORE_READ(node, next);
  add_thread(walk->which, (__u64)node - bpf_core_field_offset(struct task_struct, thread_node));
  return 0;
}

#define THREADS_MAX      65536 /* of one process that end while its last one does */
#define THREADS_UNROLLED 64    /* the same before 5.17 */

static __always_inline __u32 stats_sequence(struct signal_struct *signal)
{
  return BPF_CORE_READ(signal, stats_lock.seqcount.seqcount.sequence);
}

static __always_inline void start_walk(struct thread_walk *walk)
{
  struct signal_struct *signal = walk->signal;

  set_released(walk->which, (__u64)signal);
  walk->head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
  walk->node = BPF_CORE_READ(signal, thread_head.next);
}

/*
 * Add up the threads already reaped and those still listed. __exit_signal() moves a thread from the
 * list to the totals under stats_lock; return 0 if that happened meanwhile, so as to try again.
 */
static long sum_threads_once(__u32 index __attribute__((unused)), struct thread_walk *walk)
{
  __u32 before = stats_sequence(walk->signal);

  start_walk(walk);
  bpf_loop(THREADS_MAX, visit_thread, walk, 0);
  return !(before & 1) && before == stats_sequence(walk->signal);
}

static __noinline int sum_threads_once_unrolled(struct thread_walk *walk)
{
  __u32 before = stats_sequence(walk->signal);

  start_walk(walk);
  for (int i = 0; i < THREADS_UNROLLED; i++)
    if (visit_thread(i, walk))
      break;
  return !(before & 1) && before == stats_sequence(walk->signal);
}

/* Try three times. Without bpf_loop() the verifier accepts no loop around a loop. */
static __always_inline void sum_threads(__u32 which, struct signal_struct *signal,
                                        const _Bool unrolled)
{
  struct thread_walk walk = {.signal = signal, .which = which};

  if (unrolled) {
    if (!sum_threads_once_unrolled(&walk) && !sum_threads_once_unrolled(&walk))
      sum_threads_once_unrolled(&walk);
  } else {
    bpf_loop(3, sum_threads_once, &walk, 0);
  }
}

#endif
