/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Descent: a child of a followed process is followed, too. */
#ifndef BPFTRAP_PROCESS_FORK_BPF_H
#define BPFTRAP_PROCESS_FORK_BPF_H

#include "claim.bpf.h"
#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "recursion.bpf.h"
#include "scope.bpf.h"

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

/* A birth that is written is lost as a record. Else only descent is in doubt. */
static __always_inline __u32 kind_of_birth(void)
{
  return cfg.write_forks ? BPFTRAP_RECORD_FORK : BPFTRAP_KIND_MARK;
}

/*
 * Hook: kernel/fork.c kernel_clone(), before the child runs; `parent` is current. Return false for
 * threads, children of processes that are not followed, and events that the other copy handles.
 */
static __always_inline _Bool follow_birth(struct task_struct *parent, struct task_struct *child,
                                          _Bool second)
{
  if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid) ||
      !(is_followed(leader_of(parent)) || is_founding()) ||
      (cfg.twice && !is_first_to_see(child, CLAIM_FORK, kind_of_birth(), second)))
    return 0;
  if (cfg.follow)
    follow(child);
  return 1;
}

#endif
