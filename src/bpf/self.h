/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpftrap itself, as BPF programs recognise it: self.bpf.h. Shared with C++. */
#ifndef BPFTRAP_SELF_H
#define BPFTRAP_SELF_H

#include "record.h"

struct bpftrap_self {
  __u64 namespace_device; /* of bpftrap's pid namespace: /proc/self/ns/pid, the kernel's dev_t */
  __u64 namespace_inode;
  __u32 pid; /* in that namespace */
  __u32 reserved;
};

BPFTRAP_WIRE_STRUCT(bpftrap_self, 24);

#endif
