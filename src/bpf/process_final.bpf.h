/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Build the record of a process's last account, which the record of its end cannot have yet. */
#ifndef BPFTRAP_PROCESS_FINAL_BPF_H
#define BPFTRAP_PROCESS_FINAL_BPF_H

#include "account.bpf.h"
#include "compat.bpf.h"
#include "cpu_time.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "span.bpf.h"
#include "stream.bpf.h"

static __always_inline void submit_final(struct task_struct *leader, struct signal_struct *signal)
{
  struct bpftrap_final_event *event = reserve_record(BPFTRAP_RECORD_FINAL, sizeof(*event));
  char bytes[80] SPAN_ALIGNED;

  if (!event)
    return;
  fill_header(event, BPFTRAP_RECORD_FINAL, sizeof(*event), bpf_ktime_get_boot_ns());
  event->start_boot_ns = task_start_boot_ns(leader);
  event->pid = BPF_CORE_READ(leader, tgid);
  READ_FIELDS(struct signal_struct, signal, bytes, (utime, event->utime_ns),
              (stime, event->stime_ns), (prev_cputime.utime, event->prev_utime_ns),
              (prev_cputime.stime, event->prev_stime_ns));
  event->runtime_ns = BPF_CORE_READ(signal, sum_sched_runtime);
  event->flags = fill_run_delay(&event->run_delay_ns, signal, leader) ? BPFTRAP_EXIT_WAIT_KNOWN : 0;
  bpf_ringbuf_submit(event, 0);
}

/*
 * Hook: kernel/exit.c delayed_put_task_struct(), for each task that is reaped, an RCU grace period
 * later. All threads of a leader have left their totals in `signal`.
 */
static __always_inline int note_free(struct task_struct *task)
{
  struct signal_struct *signal;

  /* Ignore tasks that nobody asks about: most, without a read */
  if (!cfg.report_final && ending_sample.leader != task)
    return 0;

  signal = BPF_CORE_READ(task, signal);
  learn_from_end(task, signal);
  if (cfg.report_final && BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
    submit_final(task, signal);
  return 0;
}

#endif
