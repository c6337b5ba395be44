/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Differences between kernels, one function each: what changed, since when, and when the older
 * half may go. The loader answers each question from the running kernel's BTF; the verifier then
 * removes the half that does not apply.
 */
#ifndef BPFTRAP_COMPAT_BPF_H
#define BPFTRAP_COMPAT_BPF_H

#include "kernel_types.bpf.h"
#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___pre_5_5 {
  __u64 real_start_time;
};

struct task_struct___pre_5_14 {
  long state;
};

struct kernfs_node___pre_6_15 {
  struct kernfs_node *parent;
};

struct kernfs_node___6_15 {
  struct kernfs_node *__parent;
};

struct dentry___pre_6_14 {
  unsigned char d_iname[1]; /* DNAME_INLINE_LEN of them */
};

union shortname_store {
  unsigned char string[1];
};

struct dentry___6_14 {
  union shortname_store d_shortname;
};

struct cgroup___pre_6_1 {
  int level;
  __u64 ancestor_ids[1]; /* level + 1 of them, the root's first */
};

#pragma clang attribute pop

/*
 * Start of a task, CLOCK_BOOTTIME ns. `real_start_time` became `start_boottime` in 5.5
 * (cf25e24db61c); the older half may go when no vendor kernel backports the ring buffer to
 * before 5.5. Not inlined, because the unused half of each copy would cost the verifier time.
 */
static __noinline __attribute__((unused)) __u64 task_start_boot_ns(struct task_struct *task)
{
  if (bpf_core_field_exists(task->start_boottime))
    return BPF_CORE_READ(task, start_boottime);
  return BPF_CORE_READ((struct task_struct___pre_5_5 *)task, real_start_time);
}

/*
 * State of a task, TASK_*. `state` became `__state` in 5.14 (2f064a59a11f); the older half may go
 * with support for 5.13.
 */
static __always_inline __u32 task_state(struct task_struct *task)
{
  if (bpf_core_field_exists(task->__state))
    return BPF_CORE_READ(task, __state);
  return BPF_CORE_READ((struct task_struct___pre_5_14 *)task, state);
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
 * Offset and size of the name that is stored in the dentry itself. `d_iname` became `d_shortname`
 * in 6.14 (58cf9c383c5c); the older half may go with support for 6.13.
 */
static __always_inline __u32 inline_name_offset(void)
{
  if (bpf_core_field_exists(struct dentry___6_14, d_shortname))
    return bpf_core_field_offset(struct dentry___6_14, d_shortname);
  return bpf_core_field_offset(struct dentry___pre_6_14, d_iname);
}

static __always_inline __u32 inline_name_size(void)
{
  if (bpf_core_field_exists(struct dentry___6_14, d_shortname))
    return bpf_core_field_size(struct dentry___6_14, d_shortname);
  return bpf_core_field_size(struct dentry___pre_6_14, d_iname);
}

/*
 * Id of the ancestor at `level` of the cgroup of the current process, itself included; 0 if the
 * cgroup is less deep. `cgroup` is that cgroup. 5.10 refuses the helper in tracing programs, and
 * has the ids at hand: `ancestor_ids` became pointers in 6.1 (7f203bc89eb6). The older half may go
 * with support for 6.0.
 */
static __always_inline __u64 current_ancestor_id(struct cgroup *cgroup, int level)
{
  struct cgroup___pre_6_1 *old = (void *)cgroup;
  const void *ids;
  __u64 id = 0;

  if (!bpf_core_field_exists(old->ancestor_ids))
    return bpf_get_current_ancestor_cgroup_id(level);
  if (level > BPF_CORE_READ(old, level))
    return 0;
  ids = (const void *)old + bpf_core_field_offset(struct cgroup___pre_6_1, ancestor_ids);
  bpf_probe_read_kernel(&id, sizeof(id), ids + level * sizeof(id));
  return id;
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
