/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read memory of the kernel. An object that defines BPFTRAP_DIRECT_READS before its first include
 * reads by plain loads, which take 3 ns where a call of bpf_probe_read_kernel() takes 20 to 40.
 * Both read zeros where there is no memory. Plain loads need a kernel since 6.17, whose
 * bpf_rdonly_cast() makes a pointer to memory of no type.
 */
#ifndef BPFTRAP_READ_BPF_H
#define BPFTRAP_READ_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifdef BPFTRAP_DIRECT_READS

#include "direct_reads.h"

/*
 * A function of the kernel. libbpf would look for its number in all of the kernel's BTF, so the
 * loader puts it in place of this one. The verifier replaces the call by a move.
 */
static void *(*const rdonly_cast)(const void *, __u64) = (void *)BPFTRAP_RDONLY_CAST;

/* Pointer to kernel memory that may be read. Type 0 is void: any size at any offset. */
#define DIRECT(base) ((const volatile typeof(*(base)) *)rdonly_cast((const void *)(base), 0))

#undef BPF_CORE_READ
#define BPF_CORE_READ(...) \
  DIRECT_NTH(__VA_ARGS__, DIRECT_4, DIRECT_3, DIRECT_2, DIRECT_1)(__VA_ARGS__)
#define DIRECT_NTH(base, a, b, c, d, nth, ...) nth
#define DIRECT_1(base, a)                      (DIRECT(base)->a)
#define DIRECT_2(base, a, b)                   (DIRECT(DIRECT_1(base, a))->b)
#define DIRECT_3(base, a, b, c)                (DIRECT(DIRECT_2(base, a, b))->c)
#define DIRECT_4(base, a, b, c, d)             (DIRECT(DIRECT_3(base, a, b, c))->d)

/* Copy `size` bytes, a constant multiple of 8. */
#define READ_BYTES(to, size, from)                                                   \
  do {                                                                               \
    const volatile __u64 *from_ = rdonly_cast((const void *)(from), 0);              \
    __u64 *to_ = (__u64 *)(to);                                                      \
                                                                                     \
    _Static_assert((size) % 8 == 0 && (size) <= 64, "reads are of 8 bytes");         \
    _Pragma("unroll") for (__u32 i_ = 0; i_ < (size) / 8; i_++) to_[i_] = from_[i_]; \
  } while (0)

#else

#define READ_BYTES(to, size, from) bpf_probe_read_kernel(to, size, (const void *)(from))

#endif

#endif
