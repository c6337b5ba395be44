/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Truth values without branches. The verifier follows each combination of branches, so programs
 * that decide by many facts compute with them instead, and branch at the end.
 */
#ifndef BPFTRAP_VERIFIER_BPF_H
#define BPFTRAP_VERIFIER_BPF_H

#include <linux/types.h>

/* Keep the compiler from making branches of arithmetic. */
#define OPAQUE(value) asm volatile("" : "+r"(value))

/* 1 if the value is not 0, else 0 */
static __always_inline __u64 is_set(__u64 value)
{
  __u64 negative = -value;

  OPAQUE(negative);
  return (value | negative) >> 63;
}

static __always_inline __u64 is_clear(__u64 value)
{
  return is_set(value) ^ 1;
}

static __always_inline __u64 is_equal(__u64 a, __u64 b)
{
  return is_clear(a ^ b);
}

/* `yes` if `condition` is 1, `no` if it is 0 */
static __always_inline __u64 select(__u64 condition, __u64 yes, __u64 no)
{
  __u64 mask = -condition;

  OPAQUE(mask);
  return no ^ ((yes ^ no) & mask);
}

#endif
