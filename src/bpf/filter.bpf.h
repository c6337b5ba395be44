/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filters --pid, --tree, --user, --name, --exclude-name, --cgroup and -- PROGRAM for any
 * tracer: call is_traced() first in each program. User space: cli/run_tracer.h.
 *
 * Filters ask about the process as it is at the event. `exec` and `exit` do not use this header,
 * because they have to remember the answer until the process ends: scope.bpf.h.
 */
#ifndef BPFTRAP_FILTER_BPF_H
#define BPFTRAP_FILTER_BPF_H

#include "kernel_types.bpf.h"
#include "process_fork.bpf.h"
#include "read.bpf.h"
#include "scope.bpf.h"
#include "self.bpf.h"

#include <bpf/bpf_tracing.h>

/* Return true if the process that is current passes the filters and is not bpftrap. */
static __always_inline _Bool is_traced(void)
{
  struct task_struct *leader = leader_of_current((void *)bpf_get_current_task());

  return !is_self() && is_followed(leader) && is_wanted(leader);
}

/* Follow the children of followed processes. */
SEC("?raw_tp/sched_process_fork")
int BPF_PROG(filter_fork, struct task_struct *parent, struct task_struct *child)
{
  follow_birth(parent, child, FIRST_COPY);
  return 0;
}

/* Know each new cgroup of --cgroup. */
SEC("?raw_tp/cgroup_mkdir")
int BPF_PROG(filter_cgroup, struct cgroup *cgroup, const char *path)
{
  return note_cgroup(cgroup);
}

/* Forget a followed process with its last thread, so that its pid can be used again. */
SEC("?raw_tp/sched_process_exit")
int BPF_PROG(filter_exit, struct task_struct *task)
{
  if (BPF_CORE_READ(task, signal, live.counter) == 0)
    forget_process(BPF_CORE_READ(task, group_leader));
  return 0;
}

#endif
