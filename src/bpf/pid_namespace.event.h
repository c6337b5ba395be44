/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How bpftrap learns its own ids in the initial pid namespace, and those of its namespace's tasks.
 */
#ifndef BPFTRAP_PID_NAMESPACE_EVENT_H
#define BPFTRAP_PID_NAMESPACE_EVENT_H

#include "record.h"

/* Ids of the thread that ran the program `own_ids`. */
struct bpftrap_own_ids {
  __u64 pid_namespace; /* address of its struct pid_namespace */
  __u32 pid;           /* in the initial namespace: thread-group id and thread id */
  __u32 tid;
  __u32 level; /* of its namespace; 0: the initial one */
  __u32 reserved;
};

#define BPFTRAP_PROCESS_ALIVE  0
#define BPFTRAP_PROCESS_ENDING 1 /* all of its threads end, or have ended */
#define BPFTRAP_PROCESS_ENDED  2 /* and its parent has not waited for it */

/* A process of bpftrap's own pid namespace or one below it, as the iterator writes it. */
struct bpftrap_listed_process {
  __u64 start_boot_ns;
  __u32 pid;        /* in the initial namespace */
  __u32 parent_pid; /* of the real parent, likewise */
  __u32 local_pid;  /* in bpftrap's own namespace */
  __u32 state;      /* BPFTRAP_PROCESS_* */
  char comm[16];    /* TASK_COMM_LEN */
};

BPFTRAP_WIRE_STRUCT(bpftrap_own_ids, 24);
BPFTRAP_WIRE_STRUCT(bpftrap_listed_process, 40);

#endif
