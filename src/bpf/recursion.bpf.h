/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Recursion misses: events for which the kernel does not run a program, because that program is
 * already running on the CPU (kernel/trace/bpf_trace.c __bpf_trace_run()). Since 7.0 the programs
 * of a raw tracepoint can be preempted (a46023d5616e), so another task that reaches the tracepoint
 * on that CPU is missed.
 *
 * On such kernels user space loads the programs of exec, exit and fork twice. The copies run one
 * after the other, and the first copy that runs handles the event. User space counts the events
 * that both copies missed: core/bpf/recursion_misses.h.
 */
#ifndef BPFTRAP_RECURSION_BPF_H
#define BPFTRAP_RECURSION_BPF_H

#include "claim.bpf.h"
#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "stream.bpf.h"

/* Values of the argument `second` of the functions that both copies of a program call. */
#define FIRST_COPY  0
#define SECOND_COPY 1

static __always_inline void count_rescued(__u32 kind)
{
  struct bpftrap_lost *mine = losses();

  if (mine && kind < BPFTRAP_KINDS_MOST)
    __sync_fetch_and_add(&mine->rescued[kind], 1);
}

/*
 * With cfg.twice: return true if this copy has to handle the event. `extra` names the event of the
 * task: see bpftrap_process_key::extra. `kind` counts it if it is lost, or if only the second copy
 * saw it.
 */
static __noinline _Bool is_first_to_see(struct task_struct *task, __u32 extra, __u32 kind,
                                        _Bool second)
{
  struct bpftrap_process_key key = {.extra = extra};

  /* Claim the event before the other copy does */
  key.start_boot_ns = task_start_boot_ns(task);
  key.pid = BPF_CORE_READ(task, pid);
  if (!claim(&key, kind))
    return 0;

  /* The first copy missed the event */
  if (second)
    count_rescued(kind);
  return 1;
}

#endif
