/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Failed execs whose strings are not in memory yet. failed_deferred.bpf.c makes an entry and has
 * the kernel call it back when the caller is about to return to its program, where it may wait for
 * a page. process_failed.bpf.h, which runs between both, identifies the caller.
 */
#ifndef BPFTRAP_DEFERRED_EXEC_BPF_H
#define BPFTRAP_DEFERRED_EXEC_BPF_H

#include "failed_exec.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* include/uapi/linux/bpf.h, since 6.18: the verifier finds it in the map's value by its name. */
struct bpf_task_work {
  __u64 opaque;
} __attribute__((aligned(8)));

/* Room for the paths of the caller. An exec with longer ones is not deferred. */
#define DEFERRED_NAMES 2047

struct deferred_exec {
  __u64 identified; /* 1: the rest is filled in; 0: the caller is out of scope */
  struct failed_exec exec;
  struct bpftrap_process process;
  struct bpftrap_path paths[BPFTRAP_PATHS];
  char names[DEFERRED_NAMES + 1];
  struct bpf_task_work work;
};

/* By thread id. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, struct deferred_exec);
} deferred_execs SEC(".maps");

/* Leave the record to the callback. Return false if there will be none. */
static __always_inline _Bool defer_exec(const struct failed_exec *exec)
{
  __u32 tid = bpf_get_current_pid_tgid();
  struct deferred_exec *deferred = bpf_map_lookup_elem(&deferred_execs, &tid);

  if (!deferred || exec->names_size > DEFERRED_NAMES)
    return 0;
  deferred->exec.call = exec->call;
  deferred->exec.now = exec->now;
  deferred->exec.cap_effective = exec->cap_effective;
  deferred->exec.names_size = exec->names_size;
  deferred->exec.error = exec->error;
  deferred->exec.umask = exec->umask;
  deferred->process = *exec->process;
  __builtin_memcpy(deferred->paths, exec->paths, sizeof(deferred->paths));
  bpf_probe_read_kernel(deferred->names, exec->names_size & DEFERRED_NAMES,
                        (const void *)exec->names);
  deferred->identified = 1;
  return 1;
}

#endif
