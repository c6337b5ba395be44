/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Identity of a process: what every record about it has in common, and its key in maps. */
#ifndef BPFTRAP_IDENTITY_BPF_H
#define BPFTRAP_IDENTITY_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Key of a process in maps. The start makes it unique, because pids are used again. */
struct process_key {
  __u64 start_boot_ns;
  __u32 pid;
  __u32 extra; /* whatever else distinguishes entries of the map */
};

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
  bpf_core_read(out->comm, sizeof(out->comm), &leader->comm);
  bpf_core_read(out->parent_comm, sizeof(out->parent_comm), &parent->comm);
}

#endif
