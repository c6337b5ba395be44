// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Translates process ids between bpftrap's own pid namespace and the initial one. BPF programs see
 * the ids of the initial namespace, while kill(), /proc and the user have those of their own.
 */
#include "compat.bpf.h"
#include "pid_namespace.event.h"
#include "pid_numbers.bpf.h"

struct bpftrap_own_ids own;

/* Never attached: bpftrap runs it by BPF_PROG_TEST_RUN, so that bpftrap itself is current. */
SEC("raw_tp/sys_enter")
int own_ids(void *ctx __attribute__((unused)))
{
  struct task_struct *task = (void *)bpf_get_current_task();
  struct pid *pid = BPF_CORE_READ(task, thread_pid);
  __u64 ids = bpf_get_current_pid_tgid();

  own.pid = ids >> 32;
  own.tid = ids;
  own.level = BPF_CORE_READ(pid, level);
  own.pid_namespace = (__u64)pid_number(pid, own.level).ns;
  return 0;
}

/* The leader may be a zombie before the last thread ends; others leave the count as they end. */
static __always_inline __u32 state_of(struct task_struct *leader, struct signal_struct *signal)
{
  if (BPF_CORE_READ(signal, live.counter))
    return BPFTRAP_PROCESS_ALIVE;
  return BPF_CORE_READ(leader, exit_state) && BPF_CORE_READ(signal, nr_threads) <= 1
             ? BPFTRAP_PROCESS_ENDED
             : BPFTRAP_PROCESS_ENDING;
}

/*
 * kernel/bpf/task_iter.c: visits every thread of the pid namespace of whoever opens the iterator,
 * namespaces below included. To be read after own_ids has run.
 */
SEC("?iter/task")
int list_processes(struct bpf_iter__task *ctx)
{
  struct bpftrap_listed_process process = {};
  struct task_struct *task = ctx->task;

  if (!task || task->pid != task->tgid)
    return 0;
  process.start_boot_ns = task_start_boot_ns(task);
  process.pid = task->tgid;
  process.parent_pid = BPF_CORE_READ(task, real_parent, tgid);
  process.local_pid = pid_number(BPF_CORE_READ(task, thread_pid), own.level).nr;
  process.state = state_of(task, BPF_CORE_READ(task, signal));
  bpf_core_read(process.comm, sizeof(process.comm), &task->comm);
  bpf_seq_write(ctx->meta->seq, &process, sizeof(process));
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
