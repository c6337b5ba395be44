/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Leave out bpftrap's own events. A tracer of write(), for example, would trace that it writes its
 * records, and never end. User space fills `self` before the load: core/bpf/skeleton.h.
 */
#ifndef BPFTRAP_SELF_BPF_H
#define BPFTRAP_SELF_BPF_H

#include "self.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

const volatile struct bpftrap_self self = {};

/* Return true if bpftrap is current. The helper came with 5.7 (b4490c5c4e02). */
static __always_inline _Bool is_self(void)
{
  struct bpf_pidns_info ids;

  return !bpf_get_ns_current_pid_tgid(self.namespace_device, self.namespace_inode, &ids,
                                      sizeof(ids)) &&
         ids.tgid == self.pid;
}

#endif
