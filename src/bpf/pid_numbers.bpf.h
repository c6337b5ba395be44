/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers of a process in pid namespaces. A process has one in its innermost namespace, and one in
 * each namespace above: struct pid has them in an array, indexed by the level of the namespace.
 */
#ifndef BPFTRAP_PID_NUMBERS_BPF_H
#define BPFTRAP_PID_NUMBERS_BPF_H

#include "kernel_types.bpf.h"
#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* All zeros if `level` is deeper than the process's innermost namespace. */
static __always_inline struct upid pid_number(struct pid *pid, __u32 level)
{
  struct upid number = {};
  const void *numbers = (const void *)pid + bpf_core_field_offset(struct pid, numbers);

  READ_BYTES(&number, sizeof(number), numbers + level * bpf_core_type_size(struct upid));
  return number;
}

#endif
