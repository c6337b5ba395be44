/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way of a record to user space: the ring buffer, and the count of records that it had no room
 * for. Every tracer includes this header. It needs neither CO-RE nor the kernel's BTF.
 *
 *   event = reserve_record(KIND, sizeof(*event));
 *   if (!event)
 *     return 0;
 *   fill_header(event, KIND, sizeof(*event), bpf_ktime_get_boot_ns());
 *   ... fill every other byte ...
 *   bpf_ringbuf_submit(event, 0);
 */
#ifndef BPFTRAP_STREAM_BPF_H
#define BPFTRAP_STREAM_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "record.h"

/* A command with --buffer-size sets max_entries before the load. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, BPFTRAP_BUFFER_SMALL);
} records SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct bpftrap_lost);
} lost SEC(".maps");

/* Counters of this CPU. */
static __always_inline struct bpftrap_lost *losses(void)
{
  __u32 zero = 0;

  return bpf_map_lookup_elem(&lost, &zero);
}

static __always_inline void count_lost(__u32 kind)
{
  struct bpftrap_lost *mine = losses();

  if (mine && kind < BPFTRAP_KINDS_MOST)
    __sync_fetch_and_add(&mine->records[kind], 1);
}

/*
 * Return true if more than 1/2^shift of the buffer is unread. Records that one process can make in
 * bulk ask this first, so that they leave room for those of others.
 */
static __always_inline _Bool is_fuller_than(__u32 shift)
{
  return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >
         bpf_ringbuf_query(&records, BPF_RB_RING_SIZE) >> shift;
}

/* Reserve a record, or count it as lost and return 0. The verifier wants a constant size. */
static __always_inline void *reserve_record(__u32 kind, const __u64 size)
{
  void *record = bpf_ringbuf_reserve(&records, size, 0);

  if (!record)
    count_lost(kind);
  return record;
}

/* `size`: bytes in use, at most those that are reserved. */
#define fill_header(event, kind, size, boot_ns) \
  fill_header_of(&(event)->header, sizeof(*(event)), kind, size, boot_ns)

static __always_inline void fill_header_of(struct bpftrap_record_header *header, __u16 fixed,
                                           __u8 kind, __u32 size, __u64 boot_ns)
{
  header->size = size;
  header->fixed = fixed;
  header->version = BPFTRAP_WIRE_VERSION;
  header->kind = kind;
  header->boot_ns = boot_ns;
}

#endif
