/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Build the record of a process's birth. */
#ifndef BPFTRAP_PROCESS_BIRTH_BPF_H
#define BPFTRAP_PROCESS_BIRTH_BPF_H

#include "account.bpf.h"
#include "cgroup.bpf.h"
#include "compat.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "process_fork.bpf.h"
#include "scope.bpf.h"
#include "stream.bpf.h"

/*
 * Apply the filters to a child that has not run yet. Its name, user and group are those of its
 * parent, its cgroup may be another one.
 */
static __always_inline _Bool is_wanted_child(struct task_struct *child)
{
  if (cfg.filter_pids) /* these processes exist already */
    return 0;
  if (cfg.uids_count && !has_wanted_uid(child))
    return 0;
  if (!has_wanted_name(child))
    return 0;
  if (cfg.cgroups_count && !is_below_a_cgroup(child))
    return 0;
  return 1;
}

static __always_inline void submit_fork(struct task_struct *thread, struct task_struct *child,
                                        __u32 flags, _Bool second)
{
  struct task_struct *creator = leader_of(thread);
  __u64 now = bpf_ktime_get_boot_ns();
  __u64 cgroup_id = announce_cgroup_id(child, BPF_CORE_READ(child, cgroups, dfl_cgrp, kn, id), now,
                                       CGROUP_WALK_OF_FORK + second);
  struct bpftrap_fork_event *event = reserve_record(BPFTRAP_RECORD_FORK, sizeof(*event));

  if (!event)
    return;
  fill_header(event, BPFTRAP_RECORD_FORK, sizeof(*event), now);
  fill_process(&event->process, child, task_start_boot_ns(child), cgroup_id);
  fill_account(&event->account, thread);
  event->creator_start_boot_ns = task_start_boot_ns(creator);
  event->creator_pid = BPF_CORE_READ(creator, tgid);
  event->flags = flags;
  bpf_ringbuf_submit(event, 0);
}

/* Hook: as follow_birth(). */
static __noinline int handle_fork(struct task_struct *parent, struct task_struct *child,
                                  _Bool second)
{
  __u32 flags;

  /* Ignore births that only mark the child, and those that are filtered out */
  if (!follow_birth(parent, child, second))
    return 0;
  flags = cfg.write_forks && is_wanted_child(child) ? BPFTRAP_FORK_WANTED : 0;
  if (!cfg.report_forks && !flags)
    return 0;

  submit_fork(parent, child, flags, second);
  return 0;
}

#endif
