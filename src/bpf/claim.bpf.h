/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Claims: an event that several runs of programs may see, and that exactly one of them handles. */
#ifndef BPFTRAP_CLAIM_BPF_H
#define BPFTRAP_CLAIM_BPF_H

#include "identity.bpf.h"
#include "stream.bpf.h"

#define EEXIST 17 /* include/uapi/asm-generic/errno-base.h */

/* Events that are claimed. An entry matters for microseconds, so LRU eviction does no harm. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct bpftrap_process_key);
  __type(value, __u8);
} claimed SEC(".maps");

/* bpftrap_process_key::extra: which event of the process. Other values are numbers of execs. */
#define CLAIM_END  0xffffffff
#define CLAIM_FORK 0xfffffffe

/* Claim the event. Return false if it was claimed before. Count it as lost if the map fails. */
static __always_inline _Bool claim(const struct bpftrap_process_key *key, __u32 kind)
{
  __u8 one = 1;
  /* Before 6.4 (d7ba4cc900bf) the call leaves an int in the lower half of the register. */
  int err = bpf_map_update_elem(&claimed, key, &one, BPF_NOEXIST);

  if (err && err != -EEXIST)
    count_lost(kind);
  return !err;
}

static __always_inline _Bool is_claimed(const struct bpftrap_process_key *key)
{
  return bpf_map_lookup_elem(&claimed, key) != 0;
}

#endif
