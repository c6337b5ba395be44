/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Execs that failed: find them, and identify the caller. */
#ifndef BPFTRAP_PROCESS_FAILED_BPF_H
#define BPFTRAP_PROCESS_FAILED_BPF_H

#include "cgroup.bpf.h"
#include "compat.bpf.h"
#include "deferred_exec.bpf.h"
#include "failed_exec.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "path.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "scope.bpf.h"
#include "stream.bpf.h"

/* Gather the identity and the paths of the caller. Return false if there is no memory for them. */
static __always_inline _Bool identify_caller(struct failed_exec *from, struct task_struct *task,
                                             struct task_struct *leader)
{
  struct path_walk *walk = get_walk(WALK_OF_FAILED_EXEC);

  if (!walk)
    return 0;
  from->cap_effective = fill_process(&walk->process, leader, task_start_boot_ns(leader),
                                     announce_cgroup(leader, from->now, CGROUP_WALK_OF_FAILED));
  gather_paths(WALK_OF_FAILED_EXEC, (__u64)BPF_CORE_READ(task, mm, exe_file));
  from->process = &walk->process;
  from->paths = walk->paths;
  from->names = walk->finished;
  from->names_size = PATHS_SIZE - walk->begin;
  from->umask = walk->umask;
  return 1;
}

/*
 * Hook: the end of every system call, current is the caller. The hook does not see that another
 * thread changed the arguments since the call began.
 */
static __always_inline int report_failed_exec(struct pt_regs *regs, long result,
                                              const _Bool unrolled)
{
  struct task_struct *task, *leader;
  struct failed_exec from = {};

  task = cfg.task_storage ? (struct task_struct *)bpf_get_current_task_btf()
                          : (struct task_struct *)bpf_get_current_task();
  if (!is_failed_exec(task, regs, result, &from.call))
    return 0;

  /* Ignore processes out of scope */
  leader = leader_of(task);
  if (!is_followed(leader) || !is_wanted(leader))
    return 0;

  /* Lose failed execs first: a process can make a million of them per second */
  if (is_fuller_than(2)) {
    count_lost(BPFTRAP_KIND_FAILED);
    return 0;
  }

  /* Submit the record, unless the strings are to be read later */
  from.now = bpf_ktime_get_boot_ns();
  from.error = -result;
  if (!identify_caller(&from, (struct task_struct *)bpf_get_current_task(), leader))
    return 0;
  if (!cfg.deferred_execs || !defer_exec(&from))
    report_strings(&from, paths_room_most(), unrolled);
  return 0;
}

#endif
