/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Time that threads had a CPU, and time that they waited for one. */
#ifndef BPFTRAP_ACCOUNT_BPF_H
#define BPFTRAP_ACCOUNT_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

static __always_inline __u64 run_delay_of(struct task_struct *thread)
{
  return bpf_core_field_exists(thread->sched_info.run_delay)
             ? BPF_CORE_READ(thread, sched_info.run_delay)
             : 0;
}

static __noinline int fill_account(struct bpftrap_account *out, struct task_struct *thread)
{
  out->runtime_ns = BPF_CORE_READ(thread, se.sum_exec_runtime);
  out->run_delay_ns = run_delay_of(thread);
  out->voluntary_switches = BPF_CORE_READ(thread, nvcsw);
  out->tid = BPF_CORE_READ(thread, pid);
  out->state = task_state(thread);
  return 0;
}

/*
 * The first thread that ends before others makes the kernel allocate this: kernel/taskstats.c
 * taskstats_tgid_alloc().
 */
static __always_inline struct taskstats *stats_of(struct signal_struct *signal)
{
  return bpf_core_field_exists(signal->stats) ? BPF_CORE_READ(signal, stats) : 0;
}

/* Return true unless the process had one thread all the time. */
static __always_inline _Bool had_threads(struct signal_struct *signal)
{
  return !bpf_core_field_exists(signal->stats) || stats_of(signal);
}

/*
 * Fill in the time that all threads of a process waited for a CPU, when its last thread ends. Each
 * thread adds its delays to `stats` when it ends: kernel/taskstats.c taskstats_exit(). Since 6.16
 * this precedes the hook directly; before, exit_mm() lies between. Return false if the kernel does
 * not count.
 */
static __always_inline _Bool fill_run_delay(__u64 *run_delay_ns, struct signal_struct *signal,
                                            struct task_struct *last)
{
  struct taskstats *stats = stats_of(signal);

  *run_delay_ns = run_delay_of(last);
  if (!stats)
    return bpf_core_field_exists(last->sched_info.run_delay);
  *run_delay_ns = BPF_CORE_READ(stats, cpu_delay_total);
  return bpf_core_field_exists(last->delays);
}

#endif
