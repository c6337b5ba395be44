/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `hello` puts into the ring buffer, and how it is configured. Rules: record.h. */
#ifndef BPFTRAP_HELLO_EVENT_H
#define BPFTRAP_HELLO_EVENT_H

#include "record.h"

#define BPFTRAP_RECORD_HELLO 1

struct bpftrap_hello_cfg {
  __u32 pid;   /* the one process that is answered for */
  __u32 print; /* 1: bpf_printk(), too */
};

/* «BPF triggered from PID …»: the sentence itself is user space's, bpf_snprintf() came with 5.13.
 */
struct bpftrap_hello_event {
  struct bpftrap_record_header header;
  __u32 pid;
  __u32 reserved;
  char comm[16];
};

#ifdef __cplusplus
static_assert(sizeof(bpftrap_hello_cfg) == 8);
static_assert(sizeof(bpftrap_hello_event) == 40);
#endif

#endif
