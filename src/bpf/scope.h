/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes a tracer follows: written by user space into read-only data before the load, so
 * that the verifier removes the code of every filter that is off. Shared with C++.
 */
#ifndef BPFTRAP_SCOPE_H
#define BPFTRAP_SCOPE_H

#include <linux/types.h>

struct bpftrap_scope {
  __u64 min_duration_ns; /* exits of processes that lived less are not reported */
  __u32 filter_pids;     /* 1: only processes whose pid is a key of the map `pids` */
  __u32 only_executed;   /* 1: no exits of processes that never executed a program */
  __u32 only_failed;     /* 1: no exits with status 0 */
  __u32 filter_uids;     /* 1: only processes whose real uid is a key of the map `uids` */
};

#ifdef __cplusplus
static_assert(sizeof(bpftrap_scope) == 24);
#endif

#endif
