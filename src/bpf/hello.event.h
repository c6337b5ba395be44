/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records and configuration of `hello`. Rules: record.h. */
#ifndef BPFTRAP_HELLO_EVENT_H
#define BPFTRAP_HELLO_EVENT_H

#include "record.h"

#define BPFTRAP_RECORD_HELLO 1

struct bpftrap_hello_cfg {
  __u32 print; /* 1: call bpf_printk(), too */
  __u32 reserved;
};

/* The one process that is traced: set between load and attach. */
struct bpftrap_hello_process {
  __u32 pid;       /* in the initial pid namespace; 0: none yet */
  __u32 local_pid; /* in bpftrap's own pid namespace */
};

/* User space makes the sentence, because bpf_snprintf() came with 5.13. */
struct bpftrap_hello_event {
  struct bpftrap_record_header header;
  __u32 pid;
  __u32 reserved;
  char comm[16];
};

BPFTRAP_WIRE_STRUCT(bpftrap_hello_event, 40);
BPFTRAP_WIRE_STRUCT(bpftrap_hello_cfg, 8);
BPFTRAP_WIRE_STRUCT(bpftrap_hello_process, 8);

#endif
