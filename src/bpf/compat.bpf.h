/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Differences between kernels, one function each: what changed, since when, and when the older
 * half may go. The loader answers each question from the running kernel's BTF; the verifier then
 * removes the half that does not apply.
 */
#ifndef BPFTRAP_COMPAT_BPF_H
#define BPFTRAP_COMPAT_BPF_H

#include "kernel_types.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___pre_5_5 {
  __u64 real_start_time;
};

struct kernfs_node___pre_6_15 {
  struct kernfs_node *parent;
};

struct kernfs_node___6_15 {
  struct kernfs_node *__parent;
};

#pragma clang attribute pop

/*
 * Start of a task, CLOCK_BOOTTIME ns. `real_start_time` became `start_boottime` in 5.5
 * (cf25e24db61c); the older half may go when no vendor kernel backports the ring buffer to
 * before 5.5.
 */
static __always_inline __u64 task_start_boot_ns(struct task_struct *task)
{
  if (bpf_core_field_exists(task->start_boottime))
    return BPF_CORE_READ(task, start_boottime);
  return BPF_CORE_READ((struct task_struct___pre_5_5 *)task, real_start_time);
}

/*
 * Parent directory in kernfs. `parent` became the RCU-protected `__parent` in 6.15 (633488947ef6);
 * the older half may go with support for 6.14.
 */
static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
  struct kernfs_node___6_15 *now = (void *)node;

  if (bpf_core_field_exists(now->__parent))
    return BPF_CORE_READ(now, __parent);
  return BPF_CORE_READ((struct kernfs_node___pre_6_15 *)node, parent);
}

/*
 * Return true if sched_process_exit has the argument `group_dead`: exactly one thread of a process
 * sees it true. Added in 6.16 ("exit: move and extend sched_process_exit() tracepoint"), together
 * with the move of the tracepoint to before exit_mm(). May go with support for 6.15.
 */
typedef void (*btf_trace_sched_process_exit___group_dead)(void *, struct task_struct *, _Bool);

static __always_inline _Bool has_group_dead(void)
{
  return bpf_core_type_exists(btf_trace_sched_process_exit___group_dead);
}

#endif
