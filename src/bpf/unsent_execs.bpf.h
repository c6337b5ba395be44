/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Execs whose record was lost, of processes that are older than the tracer. User space has the
 * command lines of such processes from /proc, and cannot tell if they are of the last exec.
 */
#ifndef BPFTRAP_UNSENT_EXECS_BPF_H
#define BPFTRAP_UNSENT_EXECS_BPF_H

#include "scope.bpf.h"
#include "scope.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define UNSENT_MOST 1024

/* A younger process needs no entry: user space finds that its last exec has another number. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, UNSENT_MOST);
  __type(key, struct bpftrap_process_key);
  __type(value, __u8);
} unsent_execs SEC(".maps");

/* Insertions into unsent_execs. While it is 0, nothing needs to be looked up. */
__u64 execs_unsent;

static __always_inline void note_unsent_exec(__u64 start_boot_ns, __u32 pid)
{
  struct bpftrap_process_key key = {.start_boot_ns = start_boot_ns, .pid = pid};
  __u8 one = 1;

  if (live_since && start_boot_ns > live_since)
    return;
  bpf_map_update_elem(&unsent_execs, &key, &one, BPF_ANY);
  __sync_fetch_and_add(&execs_unsent, 1);
}

/* Return true if an exec of the process was lost, or if the map may have forgotten that. */
static __always_inline _Bool has_unsent_exec(__u64 start_boot_ns, __u32 pid)
{
  struct bpftrap_process_key key = {.start_boot_ns = start_boot_ns, .pid = pid};

  if (!execs_unsent || start_boot_ns > live_since)
    return 0;
  return execs_unsent > UNSENT_MOST || bpf_map_lookup_elem(&unsent_execs, &key);
}

#endif
