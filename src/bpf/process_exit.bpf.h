/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Build the record of a process's end: once per process, with its status and its cost. */
#ifndef BPFTRAP_PROCESS_EXIT_BPF_H
#define BPFTRAP_PROCESS_EXIT_BPF_H

#include "account.bpf.h"
#include "cgroup.bpf.h"
#include "claim.bpf.h"
#include "compat.bpf.h"
#include "cpu_time.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "killer.bpf.h"
#include "peak_rss.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "process_costs.bpf.h"
#include "recursion.bpf.h"
#include "scope.bpf.h"
#include "signals_at_end.bpf.h"
#include "span.bpf.h"
#include "stream.bpf.h"
#include "unsent_execs.bpf.h"

/* Fields of signal_struct about the end. */
struct ending {
  __u32 nr_threads;
  __u32 flags;
  __u32 group_exit_code;
};

static __noinline int read_ending(struct ending *ending, struct signal_struct *signal)
{
  char bytes[128] SPAN_ALIGNED;

  READ_FIELDS(struct signal_struct, signal, bytes, (nr_threads, ending->nr_threads),
              (group_exit_code, ending->group_exit_code), (flags, ending->flags));
  return 0;
}

/*
 * Return true for the last thread of a process, exactly once per process. Before 6.16 two threads
 * that end at the same instant can both find that no thread is left. So without `group_dead` any
 * thread that finds signal->live at 0 may claim the process, by one atomic insertion. The only
 * remaining thread needs no claim, but a thread that is gone by now may have claimed the process.
 */
static __always_inline _Bool is_process_end(__u64 *ctx, struct task_struct *leader,
                                            struct signal_struct *signal)
{
  struct bpftrap_process_key key = {};

  if (has_group_dead())
    return (ctx[1] & 0xff) != 0;
  if (BPF_CORE_READ(signal, live.counter) != 0)
    return 0;
  key.start_boot_ns = task_start_boot_ns(leader);
  key.pid = bpf_get_current_pid_tgid() >> 32;
  key.extra = CLAIM_END;
  if (BPF_CORE_READ(signal, nr_threads) == 1)
    return !is_claimed(&key);
  return claim(&key, BPFTRAP_RECORD_EXIT);
}

/* kernel/exit.c wait_task_zombie(): what wait4() will say of this process. */
static __always_inline __u32 wait_status(struct task_struct *leader, const struct ending *ending)
{
  if (ending->flags & SIGNAL_GROUP_EXIT)
    return ending->group_exit_code;
  return BPF_CORE_READ(leader, exit_code);
}

static __always_inline void fill_costs(struct bpftrap_exit_event *event, const struct totals *sum)
{
  event->utime_ns = sum->utime;
  event->stime_ns = sum->stime;
  event->runtime_ns = sum->runtime;
  event->prev_utime_ns = sum->prev_utime;
  event->prev_stime_ns = sum->prev_stime;
  event->max_rss_pages = sum->maxrss;
  event->io_read_bytes = sum->io_read;
  event->io_write_bytes = sum->io_write;
  event->minor_faults = sum->min_flt;
  event->major_faults = sum->maj_flt;
  event->voluntary_switches = sum->nvcsw;
  event->involuntary_switches = sum->nivcsw;
}

/* How long the process waited for a CPU, and what its parent thread does. `task` is current. */
static __always_inline void fill_waiting(struct bpftrap_exit_event *event, struct task_struct *task,
                                         struct task_struct *leader, struct signal_struct *signal)
{
  if (fill_run_delay(&event->run_delay_ns, signal, task))
    event->flags |= BPFTRAP_EXIT_WAIT_KNOWN;
  fill_account(&event->parent, BPF_CORE_READ(leader, real_parent));
}

/* CPU time that `sum` lacks. */
static __always_inline void fill_unaccounted(struct bpftrap_exit_event *event,
                                             const struct totals *sum, struct signal_struct *signal)
{
  __u64 task = bpf_get_current_task(); /* a number, also in a tracing program */

  if (had_threads(signal))
    event->flags |= BPFTRAP_EXIT_HAD_THREADS;
  event->unaccounted_ns = unaccounted_time(task);
  if (is_clock_known())
    event->flags |= BPFTRAP_EXIT_CLOCK_KNOWN;
  event->ending_ns = time_to_end(task, sum->runtime + event->unaccounted_ns, event->header.boot_ns);
}

/* BPFTRAP_EXIT_*, all but those that other functions add */
static __always_inline __u32 exit_flags(const struct signal_struct *signal, __u32 task_flags,
                                        __u32 status)
{
  __u32 flags = 0;

  if ((status & 0x7f) == SIGKILL && BPF_CORE_READ(signal, oom_mm))
    flags |= BPFTRAP_EXIT_OOM_VICTIM;
  if (bpf_core_field_exists(signal->ioac.read_bytes))
    flags |= BPFTRAP_EXIT_IO_COUNTED;
  if (!(task_flags & PF_FORKNOEXEC))
    flags |= BPFTRAP_EXIT_EXECUTED;
  return flags;
}

/* The end of a process, as far as filters of ends ask about it. */
struct end {
  __u64 now;
  __u64 start;
  __u32 flags; /* PF_* of the leader */
  __u32 status;
  __u32 nr_threads;
};

/* Fill in `end`. Stop and return false as soon as a filter rejects it. */
static __always_inline _Bool is_wanted_end(struct end *end, struct task_struct *leader,
                                           struct signal_struct *signal)
{
  struct ending ending;

  end->flags = flags_of(leader);
  if (cfg.only_executed && (end->flags & PF_FORKNOEXEC))
    return 0;
  end->now = bpf_ktime_get_boot_ns();
  end->start = task_start_boot_ns(leader);
  if (cfg.min_duration_ns && end->now - end->start < cfg.min_duration_ns)
    return 0;
  read_ending(&ending, signal);
  end->nr_threads = ending.nr_threads;
  end->status = wait_status(leader, &ending);
  return !cfg.only_failed || end->status;
}

/* Let user space forget a process whose end it does not report. */
static __noinline int submit_gone(struct task_struct *leader)
{
  struct bpftrap_gone_event *event;

  if (!is_remembered(leader))
    return 0;
  event = reserve_record(BPFTRAP_RECORD_GONE, sizeof(*event));
  if (!event)
    return 0;
  fill_header(event, BPFTRAP_RECORD_GONE, sizeof(*event), bpf_ktime_get_boot_ns());
  event->start_boot_ns = task_start_boot_ns(leader);
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->local_pid = local_pid_of(leader, event->pid);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/* Report the end of a process, unless it is out of scope or filtered out. */
static __always_inline void report_end(struct task_struct *task, struct task_struct *leader,
                                       struct signal_struct *signal, const _Bool unrolled,
                                       _Bool second)
{
  struct bpftrap_exit_event *event;
  const struct totals *sum;
  __u32 which = second;
  struct end end = {};
  __u64 cgroup_id;
  _Bool wanted, reported;

  /* Ignore processes out of scope, and ends that are filtered out */
  reported = !cfg.exits_of_execs || has_reported_exec(leader);
  wanted = !cfg.no_exits && reported && (!has_filters() || judge_exit(leader)) &&
           is_wanted_end(&end, leader, signal);
  if (!wanted && (reported || cfg.report_forks))
    submit_gone(leader);
  if (has_filters())
    forget_process(leader);
  if (!wanted)
    return;

  /* Sum up the cost of all threads */
  if (end.nr_threads == 1) {
    set_released(which, (__u64)signal);
    add_thread(which, bpf_get_current_task());
  } else {
    sum_threads(which, signal, unrolled);
  }
  sum = bpf_map_lookup_elem(&costs, &which);
  if (!sum)
    return;
  cgroup_id = announce_cgroup(leader, end.now, CGROUP_WALK_OF_EXIT + second);

  /* Submit the record */
  event = reserve_record(BPFTRAP_RECORD_EXIT, sizeof(*event));
  if (!event)
    return;
  fill_header(event, BPFTRAP_RECORD_EXIT, sizeof(*event), end.now);
  fill_process(&event->process, leader, end.start, cgroup_id);
  event->wait_status = end.status;
  event->flags = exit_flags(signal, end.flags, end.status);
  event->peak_rss_pages = 0;
  fill_peak_rss(event, task);
  if (has_unsent_exec(end.start, event->process.pid))
    event->flags |= BPFTRAP_EXIT_EXEC_UNSENT;
  fill_costs(event, sum);
  fill_waiting(event, task, leader, signal);
  fill_unaccounted(event, sum, signal);
  fill_senders(event, leader, end.status & 0x7f, second);
  event->exec_id = BPF_CORE_READ(leader, self_exec_id); /* fill_senders() has cleared it */
  bpf_ringbuf_submit(event, 0);
}

/*
 * Hook: kernel/exit.c do_exit(), `task` is current and any thread. Since 6.16 the hook is before
 * exit_mm(), earlier after it; maxrss and the exit code are final at both places. The record lacks
 * what the process costs the kernel from here on (freeing its memory, files).
 *
 * bpf_loop() came with 5.17 (e6f2dd0f8067). Before 5.13 a program that contains its callback does
 * not load. Hence there are two programs, of which user space loads one.
 */
static __always_inline int report_exit(__u64 *ctx, const _Bool unrolled, _Bool second)
{
  struct task_struct *task = (struct task_struct *)ctx[0];
  struct task_struct *leader = leader_of_current(task);
  struct signal_struct *signal = BPF_CORE_READ(task, signal);

  /* Ignore threads, and events that the other copy handles */
  if (!is_process_end(ctx, leader, signal)) {
    if (cfg.task_storage && is_current_leader())
      keep_mark(leader, signal);
    keep_signals(task, signal);
    return 0;
  }
  if (cfg.twice && !is_first_to_see(leader, CLAIM_END, BPFTRAP_RECORD_EXIT, second))
    return 0;
  report_end(task, leader, signal, unrolled, second);
  forget_known(leader);
  if (!is_current_leader())
    forget_known(task);
  return 0;
}

#endif
