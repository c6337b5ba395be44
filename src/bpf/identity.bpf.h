/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Identity of a process: what every record about it has in common, and its key in maps. */
#ifndef BPFTRAP_IDENTITY_BPF_H
#define BPFTRAP_IDENTITY_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "pid_numbers.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Usually true. Helpers about current cost less than a read of kernel memory. */
static __always_inline _Bool is_current_leader(void)
{
  __u64 ids = bpf_get_current_pid_tgid();

  return ids >> 32 == (__u32)ids;
}

/*
 * Real user and group of a process, as bpf_get_current_uid_gid() returns them: the group in the
 * upper half. `current` is one of the process's threads.
 */
static __always_inline __u64 uid_gid_of(struct task_struct *leader)
{
  const struct cred *cred;

  if (is_current_leader())
    return bpf_get_current_uid_gid();
  cred = BPF_CORE_READ(leader, real_cred);
  return (__u64)BPF_CORE_READ(cred, gid.val) << 32 | BPF_CORE_READ(cred, uid.val);
}

/*
 * Number of a process in bpftrap's own pid namespace; 0 if the process is outside it. `pid` is the
 * number in the initial namespace.
 */
static __always_inline __u32 local_pid_of(struct task_struct *leader, __u32 pid)
{
  struct pid *numbers;
  struct upid number;

  if (!cfg.own_level)
    return pid;
  numbers = BPF_CORE_READ(leader, thread_pid);
  if (BPF_CORE_READ(numbers, level) < cfg.own_level)
    return 0;
  number = pid_number(numbers, cfg.own_level);
  return (__u64)number.ns == cfg.own_namespace ? number.nr : 0;
}

/* Fill in the numbers that depend on a pid namespace; the others are filled in already. */
static __always_inline void fill_pid_numbers(struct bpftrap_process *out,
                                             struct task_struct *leader, struct task_struct *parent)
{
  struct pid *numbers = BPF_CORE_READ(leader, thread_pid);
  __u32 level = BPF_CORE_READ(numbers, level);
  struct upid number;

  out->local_pid = local_pid_of(leader, out->pid);
  out->local_ppid = local_pid_of(parent, out->ppid);
  /* Most processes are in the initial namespace: no more reads */
  if (!level) {
    out->ns_pid = out->pid;
    out->pid_ns_inode = PROC_PID_INIT_INO;
    return;
  }
  number = pid_number(numbers, level);
  out->ns_pid = number.nr;
  out->pid_ns_inode = BPF_CORE_READ(number.ns, ns.inum);
}

/* Fill in the identity. `current` is one of the process's threads. */
static __always_inline void fill_process(struct bpftrap_process *out, struct task_struct *leader,
                                         __u64 start_boot_ns, __u64 cgroup_id)
{
  struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);
  __u64 uid_gid = uid_gid_of(leader);

  out->start_boot_ns = start_boot_ns;
  out->parent_start_boot_ns = task_start_boot_ns(parent);
  out->cgroup_id = cgroup_id;
  out->pid = bpf_get_current_pid_tgid() >> 32;
  out->ppid = BPF_CORE_READ(parent, tgid);
  out->uid = uid_gid;
  out->gid = uid_gid >> 32;
  fill_pid_numbers(out, leader, parent);
  bpf_core_read(out->comm, sizeof(out->comm), &leader->comm);
  bpf_core_read(out->parent_comm, sizeof(out->parent_comm), &parent->comm);
}

#endif
