/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read several fields of a kernel struct at once. A call of bpf_probe_read_kernel() costs some 20
 * ns, however little it reads. For a single field, use BPF_CORE_READ().
 */
#ifndef BPFTRAP_SPAN_BPF_H
#define BPFTRAP_SPAN_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define SPAN_ALIGNED __attribute__((aligned(8))) /* for the bytes of a span */

/*
 * Bytes of a struct from its first wanted field to its last, in mainline's order. If a kernel
 * orders them differently, or the room is too small, each field is read by itself. The verifier
 * knows which case applies, because offsets are constants to it.
 */
struct span {
  const void *base; /* the kernel's struct */
  const char *bytes;
  __u32 begin; /* offset of bytes[0] in the struct; a multiple of 8, as is the size */
  __u32 size;  /* 0: nothing was read */
};

static __always_inline struct span read_span(const void *base, char *bytes, __u32 room, __u32 begin,
                                             __u32 end)
{
  struct span span = {.base = base, .bytes = bytes, .begin = begin & ~7U};

  end = (end + 7) & ~7U;
  if (end - span.begin <= room) {
    span.size = end - span.begin;
    bpf_probe_read_kernel(bytes, span.size, base + span.begin); /* zeros if it fails */
  }
  return span;
}

static __always_inline __u64 span_u64(const struct span *span, __u32 offset)
{
  __u64 value;

  if (offset - span->begin < span->size)
    return *(const __u64 *)(span->bytes + (offset - span->begin));
  bpf_probe_read_kernel(&value, sizeof(value), span->base + offset);
  return value;
}

static __always_inline __u32 span_u32(const struct span *span, __u32 offset)
{
  __u32 value;

  if (offset - span->begin < span->size)
    return *(const __u32 *)(span->bytes + (offset - span->begin));
  bpf_probe_read_kernel(&value, sizeof(value), span->base + offset);
  return value;
}

/* READ_SPAN(struct signal_struct, signal, bytes, utime, sum_sched_runtime): both included. */
#define READ_SPAN(type, base, bytes, first, last)                           \
  read_span(base, bytes, sizeof(bytes), bpf_core_field_offset(type, first), \
            bpf_core_field_offset(type, last) + bpf_core_field_size(type, last))

/* SPAN_U64(span, struct signal_struct, nvcsw) */
#define SPAN_U64(span, type, field) span_u64(&(span), bpf_core_field_offset(type, field))
#define SPAN_U32(span, type, field) span_u32(&(span), bpf_core_field_offset(type, field))

#endif
