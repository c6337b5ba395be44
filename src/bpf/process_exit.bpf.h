/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Builds the record of a process's end: once per process, with its status and what it cost. */
#ifndef BPFTRAP_PROCESS_EXIT_BPF_H
#define BPFTRAP_PROCESS_EXIT_BPF_H

#include "killer.bpf.h"
#include "scope.bpf.h"

/*
 * Whether the thread that ends is the process's last one, true for one thread of each process.
 * Before 6.16 two threads that end at the same instant can both find that no thread is left. So
 * without `group_dead` any thread that finds signal->live at 0 may claim the process; the claim is
 * one atomic insertion. A process of one remaining thread needs none of its own, but must find out
 * whether a thread that is gone since has claimed it.
 */
static __always_inline _Bool is_process_end(__u64 *ctx, struct task_struct *task)
{
  struct signal_struct *signal = BPF_CORE_READ(task, signal);
  struct process_key key = {};

  if (has_group_dead())
    return (ctx[1] & 0xff) != 0;
  if (BPF_CORE_READ(signal, live.counter) != 0)
    return 0;
  key.start_boot_ns = task_start_boot_ns(BPF_CORE_READ(task, group_leader));
  key.pid = BPF_CORE_READ(task, tgid);
  key.extra = CLAIM_END;
  if (BPF_CORE_READ(signal, nr_threads) == 1)
    return !bpf_map_lookup_elem(&claimed, &key);
  return claim_key(&key, BPFTRAP_RECORD_EXIT);
}

/* kernel/exit.c wait_task_zombie(): what wait4() will say of this process. */
static __always_inline __u32 wait_status(struct task_struct *leader, struct signal_struct *signal)
{
  if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
    return BPF_CORE_READ(signal, group_exit_code);
  return BPF_CORE_READ(leader, exit_code);
}

/* What a process cost. Times in ns. */
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
};

/* What threads left behind that are released already: kernel/exit.c __exit_signal(). */
static __always_inline void set_released(struct totals *sum, struct signal_struct *signal)
{
  sum->utime = BPF_CORE_READ(signal, utime);
  sum->stime = BPF_CORE_READ(signal, stime);
  sum->runtime = BPF_CORE_READ(signal, sum_sched_runtime);
  sum->min_flt = BPF_CORE_READ(signal, min_flt);
  sum->maj_flt = BPF_CORE_READ(signal, maj_flt);
  sum->nvcsw = BPF_CORE_READ(signal, nvcsw);
  sum->nivcsw = BPF_CORE_READ(signal, nivcsw);
  sum->io_read = 0;
  sum->io_write = 0;
  if (bpf_core_field_exists(signal->ioac.read_bytes)) {
    sum->io_read = BPF_CORE_READ(signal, ioac.read_bytes);
    sum->io_write = BPF_CORE_READ(signal, ioac.write_bytes);
  }
}

static __always_inline void add_thread(struct totals *sum, struct task_struct *thread)
{
  sum->utime += BPF_CORE_READ(thread, utime);
  sum->stime += BPF_CORE_READ(thread, stime);
  sum->runtime += BPF_CORE_READ(thread, se.sum_exec_runtime);
  sum->min_flt += BPF_CORE_READ(thread, min_flt);
  sum->maj_flt += BPF_CORE_READ(thread, maj_flt);
  sum->nvcsw += BPF_CORE_READ(thread, nvcsw);
  sum->nivcsw += BPF_CORE_READ(thread, nivcsw);
  if (bpf_core_field_exists(thread->ioac.read_bytes)) {
    sum->io_read += BPF_CORE_READ(thread, ioac.read_bytes);
    sum->io_write += BPF_CORE_READ(thread, ioac.write_bytes);
  }
}

struct thread_walk {
  struct totals sum;
  struct list_head *head;
  struct list_head *node;
};

static long visit_thread(__u32 index __attribute__((unused)), struct thread_walk *walk)
{
  struct list_head *node = walk->node;
  struct task_struct *thread;

  if (!node || node == walk->head)
    return 1;
  thread = (void *)node - bpf_core_field_offset(struct task_struct, thread_node);
  walk->node = BPF_CORE_READ(node, next);
  add_thread(&walk->sum, thread);
  return 0;
}

#define THREADS_MAX      65536 /* of one process that end while its last one does */
#define THREADS_UNROLLED 64    /* the same before 5.17 */

static __always_inline __u32 stats_sequence(struct signal_struct *signal)
{
  return BPF_CORE_READ(signal, stats_lock.seqcount.seqcount.sequence);
}

static __always_inline void start_walk(struct thread_walk *walk, struct signal_struct *signal)
{
  set_released(&walk->sum, signal);
  walk->head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
  walk->node = BPF_CORE_READ(signal, thread_head.next);
}

/*
 * Adds up the threads that are released and those that are still listed. __exit_signal() moves a
 * thread from the one to the other under stats_lock; returns false if that happened meanwhile.
 */
static __noinline int sum_threads_once(struct thread_walk *walk, struct signal_struct *signal)
{
  __u32 before = stats_sequence(signal);

  start_walk(walk, signal);
  bpf_loop(THREADS_MAX, visit_thread, walk, 0);
  return !(before & 1) && before == stats_sequence(signal);
}

static __noinline int sum_threads_once_unrolled(struct thread_walk *walk,
                                                struct signal_struct *signal)
{
  __u32 before = stats_sequence(signal);

  start_walk(walk, signal);
  for (int i = 0; i < THREADS_UNROLLED; i++)
    if (visit_thread(i, walk))
      break;
  return !(before & 1) && before == stats_sequence(signal);
}

/* Three tries, written out: a loop around a loop is more than the verifier of 5.10 takes. */
static __always_inline void sum_threads(struct thread_walk *walk, struct signal_struct *signal,
                                        const _Bool unrolled)
{
  if (unrolled) {
    if (!sum_threads_once_unrolled(walk, signal) && !sum_threads_once_unrolled(walk, signal))
      sum_threads_once_unrolled(walk, signal);
  } else if (!sum_threads_once(walk, signal) && !sum_threads_once(walk, signal)) {
    sum_threads_once(walk, signal);
  }
}

/*
 * For sched_process_exit: kernel/exit.c do_exit(), `task` is current and any thread. Since
 * 6.16 before exit_mm(), earlier after it; maxrss and the exit code are final at both places. What
 * the process costs the kernel from here on (freeing its memory, files) is not in the record.
 *
 * bpf_loop() came with 5.17 (e6f2dd0f8067) and a program that so much as mentions its callback does
 * not load before 5.13: hence two programs, of which user space loads one.
 */
static __always_inline int report_exit(__u64 *ctx, const _Bool unrolled, _Bool again)
{
  struct task_struct *task = (struct task_struct *)ctx[0];
  struct task_struct *leader = leader_of(task);
  struct signal_struct *signal = BPF_CORE_READ(task, signal);
  struct bpftrap_exit_event *event;
  struct thread_walk walk = {};
  _Bool wanted;
  __u64 now;

  if (!is_process_end(ctx, task) || !claim(leader, CLAIM_END, BPFTRAP_RECORD_EXIT, again))
    return 0;
  wanted = judge_exit(leader);
  forget_process(leader);
  if (!wanted)
    return 0;
  now = bpf_ktime_get_boot_ns();
  if (cfg.only_executed && (BPF_CORE_READ(leader, flags) & PF_FORKNOEXEC))
    return 0;
  if (cfg.min_duration_ns && now - task_start_boot_ns(leader) < cfg.min_duration_ns)
    return 0;
  if (cfg.only_failed && !wait_status(leader, signal))
    return 0;
  if (BPF_CORE_READ(signal, nr_threads) == 1) {
    set_released(&walk.sum, signal);
    add_thread(&walk.sum, task);
  } else {
    sum_threads(&walk, signal, unrolled);
  }
  announce_cgroup(leader, now);

  event = bpf_ringbuf_reserve(&records, sizeof(*event), 0);
  if (!event) {
    count_lost(BPFTRAP_RECORD_EXIT);
    return 0;
  }
  fill_header(&event->header, BPFTRAP_RECORD_EXIT, sizeof(*event), now);
  fill_process(&event->process, leader);
  event->wait_status = wait_status(leader, signal);
  event->flags = BPF_CORE_READ(signal, oom_mm) ? BPFTRAP_EXIT_OOM_VICTIM : 0;
  if (bpf_core_field_exists(signal->ioac.read_bytes))
    event->flags |= BPFTRAP_EXIT_IO_COUNTED;
  if (!(BPF_CORE_READ(leader, flags) & PF_FORKNOEXEC))
    event->flags |= BPFTRAP_EXIT_EXECUTED;
  event->utime_ns = walk.sum.utime;
  event->stime_ns = walk.sum.stime;
  event->runtime_ns = walk.sum.runtime;
  event->prev_utime_ns = BPF_CORE_READ(signal, prev_cputime.utime);
  event->prev_stime_ns = BPF_CORE_READ(signal, prev_cputime.stime);
  event->max_rss_pages = BPF_CORE_READ(signal, maxrss);
  event->io_read_bytes = walk.sum.io_read;
  event->io_write_bytes = walk.sum.io_write;
  event->minor_faults = walk.sum.min_flt;
  event->major_faults = walk.sum.maj_flt;
  event->voluntary_switches = walk.sum.nvcsw;
  event->involuntary_switches = walk.sum.nivcsw;
  event->reserved = 0;
  if (take_killer(event, leader, event->wait_status & 0x7f))
    event->flags |= BPFTRAP_EXIT_KILLER_KNOWN;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

#endif
