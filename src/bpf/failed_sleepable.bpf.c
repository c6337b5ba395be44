// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bring the strings of a failed execve into memory where a raw tracepoint of system calls may sleep
 * (7.2). It is attached before on_failed_exec of process.bpf.c, which then reads them.
 */
#include "fault_in.bpf.h"

#include <bpf/bpf_tracing.h>

/* Loaded with BPF_F_SLEEPABLE. */
SEC("raw_tp/sys_exit")
int BPF_PROG(fault_in_failed, struct pt_regs *regs, long result)
{
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  struct exec_call call;

  if (is_failed_exec(task, regs, result, &call) && !is_in_memory(&call))
    fault_in_arguments(&call);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
