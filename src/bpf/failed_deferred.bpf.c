// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Report a failed execve whose strings are not in memory, from a callback that may sleep: task work
 * of BPF, since 6.18. This is an object of its own, because libbpf refuses to load an object with a
 * kernel function that the kernel lacks, or has with other parameters.
 */
#include "deferred_exec.bpf.h"
#include "fault_in.bpf.h"

#include <bpf/bpf_tracing.h>

/* libbpf compares the kinds of types with the kernel's: a declaration alone would not do. */
struct bpf_map { /* include/linux/bpf.h */
  __u32 max_entries;
};

/* kernel/bpf/helpers.c of 6.18. The verifier fills in the last parameter. */
extern int bpf_task_work_schedule_resume_impl(
    struct task_struct *task, struct bpf_task_work *work, void *map,
    int (*callback)(struct bpf_map *map, void *key, void *value), void *aux) __ksym;

/* current is the caller, about to return to its program. */
static int report_deferred(struct bpf_map *map, void *key, void *value)
{
  struct deferred_exec *deferred = value;
  __u32 tid = bpf_get_current_pid_tgid();
  struct failed_exec from;

  if (deferred->identified) {
    from = deferred->exec;
    from.process = &deferred->process;
    from.paths = deferred->paths;
    from.names = (__u64)deferred->names;
    fault_in_arguments(&from.call);
    report_strings(&from, DEFERRED_NAMES, 0);
  }
  bpf_map_delete_elem(&deferred_execs, &tid);
  return 0;
}

/* A new entry: the stack has no room for one. */
static const char new_entry[sizeof(struct deferred_exec)];

/* Attached before on_failed_exec of process.bpf.c, which finds the entry. */
SEC("raw_tp/sys_exit")
int BPF_PROG(defer_failed, struct pt_regs *regs, long result)
{
  struct task_struct *task = bpf_get_current_task_btf();
  struct deferred_exec *deferred;
  __u32 tid = bpf_get_current_pid_tgid();
  struct exec_call call;

  if (!is_failed_exec(task, regs, result, &call) || call.argv == NOWHERE || is_in_memory(&call))
    return 0;
  bpf_map_update_elem(&deferred_execs, &tid, new_entry, BPF_ANY);
  deferred = bpf_map_lookup_elem(&deferred_execs, &tid);
  if (deferred && bpf_task_work_schedule_resume_impl(task, &deferred->work, &deferred_execs,
                                                     report_deferred, 0))
    bpf_map_delete_elem(&deferred_execs, &tid);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
