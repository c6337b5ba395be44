/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Identity of a process: what every record about it has in common, and its key in maps. */
#ifndef BPFTRAP_IDENTITY_BPF_H
#define BPFTRAP_IDENTITY_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "pid_numbers.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "span.bpf.h"

#include <linux/bpf.h>

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

/*
 * Room for one span at a time. The functions that fill in the identity share it, because the stack
 * is 512 bytes, those of the callers included.
 */
typedef char span_room[120] SPAN_ALIGNED;

/*
 * Fill in the numbers that depend on a pid namespace; the others are filled in already. `numbers`
 * are those of the leader.
 */
static __always_inline void fill_pid_numbers(struct bpftrap_process *out,
                                             struct task_struct *leader, struct pid *numbers,
                                             struct task_struct *parent)
{
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

/* Fill in users and groups. Return the effective capabilities. */
static __always_inline __u64 fill_credentials(struct bpftrap_process *out, const struct cred *cred,
                                              span_room *room)
{
  struct {
    __u32 low, high; /* before 6.3 each has the alignment of an int */
  } caps;

  READ_FIELDS(struct cred, cred, *room, (uid, out->uid), (gid, out->gid), (euid, out->euid),
              (egid, out->egid), (cap_effective, caps));
  return (__u64)caps.high << 32 | caps.low;
}

/* Fill in session, process group and terminal. `numbers` are those of the process itself. */
static __always_inline void fill_session(struct bpftrap_process *out, struct signal_struct *signal,
                                         struct pid *numbers, span_room *room)
{
  struct pid *group, *session;
  struct tty_struct *tty;

  READ_FIELDS(struct signal_struct, signal, *room, (pids[PIDTYPE_PGID], group),
              (pids[PIDTYPE_SID], session), (tty, tty));
  out->process_group = group == numbers ? out->pid : pid_number(group, 0).nr;
  out->session_id = session == group ? out->process_group : pid_number(session, 0).nr;
  __builtin_memset(out->tty, 0, sizeof(out->tty));
  if (tty)
    READ_BYTES(out->tty, sizeof(out->tty), &tty->name);
}

/* Fill in the numbers of the audit system. Return signal_struct, which lies close to them. */
static __always_inline struct signal_struct *fill_audit(struct bpftrap_process *out,
                                                        struct task_struct *leader, span_room *room)
{
  struct signal_struct *signal;

  out->login_uid = BPFTRAP_ID_UNSET;
  out->audit_session = BPFTRAP_ID_UNSET;
  if (!bpf_core_field_exists(leader->loginuid))
    return BPF_CORE_READ(leader, signal);
  READ_FIELDS(struct task_struct, leader, *room, (signal, signal), (loginuid, out->login_uid),
              (sessionid, out->audit_session));
  return signal;
}

/* Fill in the parent, whose thread is `thread`. Return its leader. */
static __always_inline struct task_struct *fill_parent(struct bpftrap_process *out,
                                                       struct task_struct *thread, span_room *room)
{
  struct task_struct *parent;

  READ_FIELDS(struct task_struct, thread, *room, (tgid, out->ppid), (group_leader, parent));
  out->parent_start_boot_ns = task_start_boot_ns(parent);
  READ_BYTES(out->parent_comm, sizeof(out->parent_comm), &parent->comm);
  return parent;
}

/* Fill in the identity. Return the effective capabilities. */
static __noinline __attribute__((unused)) __u64 fill_process(struct bpftrap_process *out,
                                                             struct task_struct *leader,
                                                             __u64 start_boot_ns, __u64 cgroup_id)
{
  span_room room;
  struct task_struct *parent_thread, *parent;
  struct pid *numbers;

  out->start_boot_ns = start_boot_ns;
  out->cgroup_id = cgroup_id;
  READ_FIELDS(struct task_struct, leader, room, (tgid, out->pid), (real_parent, parent_thread),
              (thread_pid, numbers));
  parent = fill_parent(out, parent_thread, &room);
  fill_pid_numbers(out, leader, numbers, parent);
  fill_session(out, fill_audit(out, leader, &room), numbers, &room);
  READ_BYTES(out->comm, sizeof(out->comm), &leader->comm);
  return fill_credentials(out, BPF_CORE_READ(leader, real_cred), &room);
}

#endif
