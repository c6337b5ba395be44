/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read several fields of a kernel struct at once. A call of bpf_probe_read_kernel() costs some 20
 * ns, however little it reads. For a single field, use BPF_CORE_READ().
 */
#ifndef BPFTRAP_SPAN_BPF_H
#define BPFTRAP_SPAN_BPF_H

#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define SPAN_ALIGNED __attribute__((aligned(8))) /* for the bytes of a span */

/*
 * READ_FIELDS(struct cred, cred, bytes, (uid, uid), (gid, out->gid)): read each field into the
 * variable next to it. `bytes` is an array for all bytes from the first field to the last, in the
 * order of the list, which is that of mainline. If a kernel orders the fields differently, or if
 * they are further apart, each one is read by itself.
 *
 * The verifier knows which case applies, because offsets are constants to it. It removes the other
 * one, piece by piece, and each piece takes it some 10 us. So there is one question per struct, and
 * the answer is computed without branches.
 */
#ifdef BPFTRAP_DIRECT_READS
/* Neighbours are no cheaper. */
#define READ_FIELDS(type, base, bytes, ...)                    \
  do {                                                         \
    const volatile type *from_ = DIRECT((const type *)(base)); \
                                                               \
    (void)(bytes);                                             \
    SPAN_EACH(SPAN_LOAD, type, __VA_ARGS__)                    \
  } while (0)

#define SPAN_LOAD(type, field, to) (to) = *(const volatile typeof(to) *)&from_->field;
#else
#define READ_FIELDS(type, base, bytes, ...)                                                      \
  do {                                                                                           \
    const char *bytes_ = (bytes);                                                                \
    const void *base_ = (base);                                                                  \
    __u32 begin_ = SPAN_FIRST(type, __VA_ARGS__) & ~7U, end_ = 0, size_, outside_;               \
                                                                                                 \
    SPAN_EACH(SPAN_END, type, __VA_ARGS__)                                                       \
    size_ = (end_ - begin_ + 7) & ~7U;                                                           \
    outside_ = size_ | (__u32)(sizeof(bytes) - size_); /* the sign says that one is too large */ \
    SPAN_EACH(SPAN_CHECK, type, __VA_ARGS__)                                                     \
    if (__builtin_expect((__s32)outside_ >= 0, 1)) {                                             \
      bpf_probe_read_kernel(bytes, size_, base_ + begin_); /* zeros if it fails */               \
      SPAN_EACH(SPAN_TAKE, type, __VA_ARGS__)                                                    \
    } else {                                                                                     \
      SPAN_EACH(SPAN_READ, type, __VA_ARGS__)                                                    \
      barrier(); /* share no code with the other case */                                         \
    }                                                                                            \
  } while (0)

#endif

/* Last byte so far. The list ends with the last field. */
#define SPAN_END(type, field, to)                                                       \
  _Static_assert(sizeof(to) == sizeof(((type *)0)->field), #field " has another size"); \
  end_ = bpf_core_field_offset(type, field) + sizeof(to);

#define SPAN_CHECK(type, field, to)                             \
  {                                                             \
    __u32 place_ = bpf_core_field_offset(type, field) - begin_; \
                                                                \
    outside_ |= place_ | (size_ - (__u32)sizeof(to) - place_);  \
  }

#define SPAN_TAKE(type, field, to) \
  (to) = *(const typeof(to) *)(bytes_ + (bpf_core_field_offset(type, field) - begin_));

#define SPAN_READ(type, field, to) \
  bpf_probe_read_kernel(&(to), sizeof(to), base_ + bpf_core_field_offset(type, field));

/* Apply a macro to each pair of field and variable, at most eight. */
#define SPAN_EACH(macro, type, ...)                                                     \
  SPAN_NTH(__VA_ARGS__, SPAN_8, SPAN_7, SPAN_6, SPAN_5, SPAN_4, SPAN_3, SPAN_2, SPAN_1) \
  (macro, type, __VA_ARGS__)
#define SPAN_NTH(a, b, c, d, e, f, g, h, nth, ...) nth
#define SPAN_1(macro, type, pair)                  SPAN_PAIR(macro, type, SPAN_OPEN pair)
#define SPAN_2(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_1(macro, type, __VA_ARGS__)
#define SPAN_3(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_2(macro, type, __VA_ARGS__)
#define SPAN_4(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_3(macro, type, __VA_ARGS__)
#define SPAN_5(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_4(macro, type, __VA_ARGS__)
#define SPAN_6(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_5(macro, type, __VA_ARGS__)
#define SPAN_7(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_6(macro, type, __VA_ARGS__)
#define SPAN_8(macro, type, pair, ...)             SPAN_1(macro, type, pair) SPAN_7(macro, type, __VA_ARGS__)
#define SPAN_PAIR(macro, ...)                      macro(__VA_ARGS__)
#define SPAN_OPEN(...)                             __VA_ARGS__
#define SPAN_FIRST(type, pair, ...)                SPAN_PAIR(SPAN_OFFSET, type, SPAN_OPEN pair)
#define SPAN_OFFSET(type, field, to)               bpf_core_field_offset(type, field)

#endif
