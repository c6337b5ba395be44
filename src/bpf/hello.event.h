/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records and configuration of `hello`. Rules: record.h. */
#ifndef BPFTRAP_HELLO_EVENT_H
#define BPFTRAP_HELLO_EVENT_H

#include "record.h"

#define BPFTRAP_RECORD_HELLO 1

struct bpftrap_hello_cfg {
  __u32 pid;   /* the one process that is traced */
  __u32 print; /* 1: call bpf_printk(), too */
};

/* User space makes the sentence, because bpf_snprintf() came with 5.13. */
struct bpftrap_hello_event {
  struct bpftrap_record_header header;
  __u32 pid;
  __u32 reserved;
  char comm[16];
};

BPFTRAP_WIRE_STRUCT(bpftrap_hello_event, 40);

#endif
