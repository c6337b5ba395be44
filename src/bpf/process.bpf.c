// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `bpftrap exec` and `bpftrap exit`: every program that is executed and every process that ends.
 * `exit` needs the executions as well, for the command line that its records show.
 */
#include <linux/bpf.h>

#include <bpf/bpf_tracing.h>

#include "process_exec.bpf.h"
#include "process_exit.bpf.h"
#include "process_failed.bpf.h"

/* A function of its own, so that the two copies share it in the file. */
static __noinline int report_exit_with_loop(__u64 *ctx, _Bool again)
{
  return report_exit(ctx, 0, again);
}

SEC("?raw_tp/sched_process_exit")
int on_exit(__u64 *ctx)
{
  return report_exit_with_loop(ctx, 0);
}

SEC("?raw_tp/sched_process_exit")
int on_exit_before_5_17(__u64 *ctx)
{
  return report_exit(ctx, 1, 0);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
  return report_exec(task, bprm, 0);
}

/* Loaded for --failed only: it runs at the end of every system call on the machine. */
SEC("?raw_tp/sys_exit")
int BPF_PROG(on_failed_exec, struct pt_regs *regs, long result)
{
  return report_failed_exec(regs, result);
}

/* Loaded where descendants are followed or shown as a tree. */
SEC("?raw_tp/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
  return handle_fork(parent, child, 0);
}

SEC("raw_tp/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
             int result)
{
  return note_sender(sig, info, task, result);
}

SEC("raw_tp/cgroup_release")
int BPF_PROG(on_cgroup_release, struct cgroup *cgroup, const char *path)
{
  return forget_cgroup(cgroup);
}

/* Second copies, loaded since 7.0 and attached after the first ones: see claim(). */
SEC("?raw_tp/sched_process_exit")
int on_exit_again(__u64 *ctx)
{
  return report_exit_with_loop(ctx, 1);
}

SEC("?raw_tp/sched_process_exec")
int BPF_PROG(on_exec_again, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
  return report_exec(task, bprm, 1);
}

SEC("?raw_tp/sched_process_fork")
int BPF_PROG(on_fork_again, struct task_struct *parent, struct task_struct *child)
{
  return handle_fork(parent, child, 1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
