// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `bpftrap exec` and `bpftrap exit`: every program that is executed and every process that ends.
 * `exit` needs the executions as well, because its records show the command line.
 *
 * All programs read kernel memory by BPF_CORE_READ(), so that they can be loaded as raw
 * tracepoints, which need nothing of the kernel's BTF. In a tracing program (tp_btf) plain loads of
 * pointers are no cheaper in the end: since 6.2 the verifier searches all of the kernel's BTF
 * several times for each of them (kernel/bpf/verifier.c type_is_trusted()), half a millisecond each
 * time.
 */
#include "cgroup.bpf.h"
#include "killer.bpf.h"
#include "process_birth.bpf.h"
#include "process_exec.bpf.h"
#include "process_exit.bpf.h"
#include "process_failed.bpf.h"
#include "process_final.bpf.h"
#include "recursion.bpf.h"

#include <bpf/bpf_tracing.h>

/* Not inlined: both copies share it. */
static __noinline int report_exit_with_loop(__u64 *ctx, _Bool second)
{
  return report_exit(ctx, 0, second);
}

SEC("?raw_tp/sched_process_exit")
int on_exit(__u64 *ctx)
{
  return report_exit_with_loop(ctx, FIRST_COPY);
}

SEC("?raw_tp/sched_process_exit")
int on_exit_before_5_17(__u64 *ctx)
{
  return report_exit(ctx, 1, FIRST_COPY);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
  return report_exec(task, bprm, FIRST_COPY);
}

/* Loaded for failed execs only: it runs at the end of every system call on the machine. */
SEC("?raw_tp/sys_exit")
int BPF_PROG(on_failed_exec, struct pt_regs *regs, long result)
{
  return report_failed_exec(regs, result, 0);
}

SEC("?raw_tp/sys_exit")
int BPF_PROG(on_failed_exec_before_5_17, struct pt_regs *regs, long result)
{
  return report_failed_exec(regs, result, 1);
}

/* Loaded if descendants are followed, or forks reported. */
SEC("?raw_tp/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
  return handle_fork(parent, child, FIRST_COPY);
}

/* With task storage it is a tracing program. */
SEC("raw_tp/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *task)
{
  return note_signal(ctx, task);
}

SEC("raw_tp/signal_deliver")
int BPF_PROG(on_delivery, int sig, struct kernel_siginfo *info, struct k_sigaction *action)
{
  return note_delivery(sig, info, action);
}

SEC("raw_tp/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
  return note_free(task);
}

SEC("raw_tp/cgroup_release")
int BPF_PROG(on_cgroup_release, struct cgroup *cgroup, const char *path)
{
  return forget_cgroup(cgroup);
}

/* Loaded with --cgroup. */
SEC("?raw_tp/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
  return note_cgroup(cgroup);
}

/* Second copies against recursion misses: loaded since 7.0, attached after the first ones. */
SEC("?raw_tp/sched_process_exit")
int on_exit_second(__u64 *ctx)
{
  return report_exit_with_loop(ctx, SECOND_COPY);
}

SEC("?raw_tp/sched_process_exec")
int BPF_PROG(on_exec_second, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
  return report_exec(task, bprm, SECOND_COPY);
}

SEC("?raw_tp/sched_process_fork")
int BPF_PROG(on_fork_second, struct task_struct *parent, struct task_struct *child)
{
  return handle_fork(parent, child, SECOND_COPY);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
