/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The largest resident set of the last program of a process that ends. */
#ifndef BPFTRAP_PEAK_RSS_BPF_H
#define BPFTRAP_PEAK_RSS_BPF_H

#include "compat.bpf.h"
#include "cpu_time.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "span.bpf.h"

/*
 * Fill in the peak of the process's own memory map, if that still exists: VmHWM of
 * /proc/PID/status. The kernel updates hiwater_rss only when memory shrinks (include/linux/mm.h
 * get_mm_hiwater_rss()). signal_struct::maxrss includes earlier programs of the process.
 */
static __noinline int fill_peak_rss(struct bpftrap_exit_event *event, struct task_struct *task)
{
  char bytes[136] SPAN_ALIGNED;
  struct mm_struct *mm;
  __u64 files, anonymous, shared, now, peak;

  if (!has_group_dead() || !bpf_core_field_exists(struct mm_struct, rss_stat[0].count))
    return 0;
  mm = BPF_CORE_READ(task, mm);
  if (!mm)
    return 0;
  READ_FIELDS(struct mm_struct, mm, bytes, (rss_stat[MM_FILEPAGES].count, files),
              (rss_stat[MM_ANONPAGES].count, anonymous), (rss_stat[MM_SHMEMPAGES].count, shared));
  now = positive(files) + positive(anonymous) + positive(shared);
  peak = BPF_CORE_READ(mm, hiwater_rss);
  event->peak_rss_pages = peak > now ? peak : now;
  event->flags |= BPFTRAP_EXIT_PEAK_KNOWN;
  return 0;
}

#endif
