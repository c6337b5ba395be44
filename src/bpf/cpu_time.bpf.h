/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CPU time of a process that ends, beyond what the kernel has accounted. The account of a thread
 * that runs ends at the last timer tick, and since 6.16 the process frees its memory after the
 * hook.
 */
#ifndef BPFTRAP_CPU_TIME_BPF_H
#define BPFTRAP_CPU_TIME_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "span.bpf.h"
#include "verifier.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define CLOCK_WINDOW_NS 1000000000ULL

/* Largest offset of the scheduler's clock from CLOCK_MONOTONIC, in this window and the one before
 */
struct {
  __u64 window;
  __s64 now;
  __s64 before;
  __u64 count; /* observations in both */
  __u64 count_now;
} clock_offset;

#define CLOCK_OBSERVATIONS 16 /* as many make the offset good to some ten microseconds */

/*
 * Offset of the scheduler's clock from CLOCK_MONOTONIC. Programs can read only the second one, and
 * `clock`, the first one as it was when the CPU last looked. So each observation is a lower bound,
 * and the largest one is close to the truth when there are many. Windows follow the drift.
 */
static __always_inline __s64 offset_of_clock(__u64 clock, __u64 now)
{
  __u64 window = now / CLOCK_WINDOW_NS;
  __s64 observed = clock - now, best;

  if (window != clock_offset.window) {
    if (window == clock_offset.window + 1) {
      clock_offset.before = clock_offset.now;
      clock_offset.count = clock_offset.count_now;
    } else {
      clock_offset.before = observed;
      clock_offset.count = 0;
    }
    clock_offset.count_now = 0;
    clock_offset.now = observed;
    clock_offset.window = window;
  } else if (observed > clock_offset.now) {
    clock_offset.now = observed;
  }
  clock_offset.count++;
  clock_offset.count_now++;
  best = clock_offset.now;
  return best > clock_offset.before ? best : clock_offset.before;
}

/* Return true if unaccounted_time() is close to the truth; else it is a lower bound. */
static __always_inline _Bool is_clock_known(void)
{
  return clock_offset.count >= CLOCK_OBSERVATIONS;
}

/* CPU time of the thread that is current since the kernel last accounted it. */
static __noinline __u64 unaccounted_time(__u64 thread_address)
{
  const struct task_struct *thread = (const struct task_struct *)thread_address;
  char bytes[16] SPAN_ALIGNED;
  struct rq *rq;
  __u64 clock, clock_task, now, since;
  __s64 time;

  if (!bpf_core_field_exists(thread->se.cfs_rq) || !bpf_core_field_exists(struct cfs_rq, rq))
    return 0;
  time = -BPF_CORE_READ(thread, se.exec_start);
  rq = BPF_CORE_READ(thread, se.cfs_rq, rq);
  READ_FIELDS(struct rq, rq, bytes, (clock, clock), (clock_task, clock_task));
  time += clock_task;
  now = bpf_ktime_get_ns();
  since = now + offset_of_clock(clock, now) - clock;
  if (since < CLOCK_WINDOW_NS)
    time += since;
  return time > 0 ? time : 0;
}

/* A process whose CPU time is compared with the final one, to learn what its last steps cost. */
struct {
  struct task_struct *leader; /* only compared; 0: none */
  __u64 cpu_ns;
  __u64 pages;
  __u64 since;
} ending_sample;

#define ENDING_SIZES 32

/*
 * Cost of the last steps of such processes, and their pages, by the binary logarithm of the number
 * of pages: small processes have a larger share of pages that are cheap to release.
 */
struct {
  __u64 ns;
  __u64 pages;
} ending_costs[ENDING_SIZES];

static __always_inline __u32 ending_size(__u64 pages)
{
  __u32 size = 0;

  /* No branch, which would double the verifier's work each time */
  for (int shift = 16; shift; shift /= 2) {
    __u32 step = is_set(pages >> shift) * shift;

    OPAQUE(step);
    pages >>= step;
    size += step;
  }
  return size & (ENDING_SIZES - 1);
}

/* The part of a per-CPU counter that all CPUs share may be below 0 for a while. */
static __always_inline __u64 positive(__u64 count)
{
  __u64 sign = count >> 63;

  OPAQUE(sign);
  return count & (sign - 1);
}

#define ENDING_NS_HALVED 100000000 /* halve the sums then: newer processes count more */
/* Ignore samples above: an interrupt, or a clock that is not known well enough, spoils one. */
#define ENDING_PAGE_NS_MOST 1000
#define ENDING_NS_MOST      200000ULL

/* Resident pages that a process will free after the hook; 0 if others use its memory, too. */
static __always_inline __u64 pages_to_free(struct task_struct *task)
{
  struct mm_struct *mm = BPF_CORE_READ(task, mm);
  __u64 files, anonymous;

  if (!mm || BPF_CORE_READ(mm, mm_users.counter) != 1)
    return 0;
  files = BPF_CORE_READ(mm, rss_stat[MM_FILEPAGES].count);
  anonymous = BPF_CORE_READ(mm, rss_stat[MM_ANONPAGES].count);
  return positive(files) + positive(anonymous);
}

/*
 * Estimate of the CPU time that the process will use after the hook, mostly to free its memory.
 * `last` is its last thread, `cpu_ns` its CPU time up to the hook. Before 6.16 the memory is free
 * by then. Verified once: path.bpf.h.
 */
__noinline __u64 time_to_end(__u64 last_address, __u64 cpu_ns, __u64 now)
{
  struct task_struct *last = (struct task_struct *)last_address;
  __u64 pages, known;
  __u32 size;

  if (!has_group_dead() || !bpf_core_field_exists(struct mm_struct, rss_stat[0].count))
    return 0;
  pages = pages_to_free(last);
  if (!pages)
    return 0;
  if (is_clock_known() && (!ending_sample.leader || now - ending_sample.since > CLOCK_WINDOW_NS)) {
    ending_sample.leader = 0;
    ending_sample.cpu_ns = cpu_ns;
    ending_sample.pages = pages;
    ending_sample.since = now;
    ending_sample.leader = BPF_CORE_READ(last, group_leader);
  }
  size = ending_size(pages);
  known = ending_costs[size].pages;
  return known ? pages * ending_costs[size].ns / known : 0;
}

/* Learn from the process, if it is the sample. Its CPU time is final. */
static __always_inline void learn_from_end(struct task_struct *task, struct signal_struct *signal)
{
  __u32 size = ending_size(ending_sample.pages);
  __u64 spent;

  if (ending_sample.leader != task)
    return;
  spent = BPF_CORE_READ(signal, sum_sched_runtime) - ending_sample.cpu_ns;
  if (spent < ENDING_NS_MOST + ENDING_PAGE_NS_MOST * ending_sample.pages) {
    if (ending_costs[size].ns > ENDING_NS_HALVED) {
      ending_costs[size].pages /= 2;
      ending_costs[size].ns /= 2;
    }
    ending_costs[size].ns += spent;
    ending_costs[size].pages += ending_sample.pages;
  }
  ending_sample.leader = 0;
}

#endif
