/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Forks: a child of a followed process is followed, too, and is reported if that is asked for. */
#ifndef BPFTRAP_PROCESS_FORK_BPF_H
#define BPFTRAP_PROCESS_FORK_BPF_H

#include "claim.bpf.h"
#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "recursion.bpf.h"
#include "scope.bpf.h"
#include "stream.bpf.h"

static __always_inline void submit_fork(struct task_struct *parent, struct task_struct *child)
{
  struct bpftrap_fork_event *event = reserve_record(BPFTRAP_RECORD_FORK, sizeof(*event));

  if (!event)
    return;
  fill_header(&event->header, BPFTRAP_RECORD_FORK, sizeof(*event), bpf_ktime_get_boot_ns());
  event->start_boot_ns = task_start_boot_ns(child);
  event->parent_start_boot_ns = task_start_boot_ns(parent);
  event->pid = BPF_CORE_READ(child, tgid);
  event->parent_pid = BPF_CORE_READ(parent, tgid);
  event->local_pid = local_pid_of(child, event->pid);
  event->reserved = 0;
  bpf_ringbuf_submit(event, 0);
}

/* Set by user space around the one fork that creates PROGRAM. */
struct bpftrap_founder founder;

/* Return true if bpftrap forks PROGRAM. */
static __always_inline _Bool is_founding(void)
{
  return cfg.follow && founder.tid && founder.tid == (__u32)bpf_get_current_pid_tgid();
}

static __always_inline void follow(struct task_struct *child)
{
  struct bpftrap_mark *mark = make_mark(child);

  if (!mark)
    return;
  mark->followed = 1;
  __sync_fetch_and_add(&followed, 1);
  if (is_founding()) {
    founder.child_start_boot_ns = task_start_boot_ns(child);
    founder.child_pid = BPF_CORE_READ(child, tgid);
  }
}

/* Hook: kernel/fork.c kernel_clone(), before the child runs; `parent` is current. */
static __noinline int handle_fork(struct task_struct *parent, struct task_struct *child,
                                  _Bool second)
{
  struct task_struct *leader = leader_of(parent);

  /* Ignore threads, processes that are not followed, and events that the other copy handles */
  if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid) ||
      !(is_followed(leader) || is_founding()) ||
      !is_first_to_see(child, CLAIM_FORK, BPFTRAP_KIND_MARK, second))
    return 0;

  /* Follow the child */
  if (cfg.follow)
    follow(child);

  /* Report the child */
  if (cfg.report_forks)
    submit_fork(leader, child);
  return 0;
}

#endif
