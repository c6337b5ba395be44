/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cgroup paths. A record about a process has only the id of its cgroup; the path behind the id is a
 * record of its own, sent once, before the first record that has the id.
 */
#ifndef BPFTRAP_CGROUP_BPF_H
#define BPFTRAP_CGROUP_BPF_H

#include "compat.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "stream.bpf.h"

#include <bpf/bpf_core_read.h>

/* Cgroups whose path was delivered. A cache: the path of an evicted cgroup is sent again. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, __u8);
} cgroups_sent SEC(".maps");

/* Direct-mapped cache over cgroups_sent: one load instead of a 60 ns lookup. */
#define CGROUPS_RECENT 64
__u64 cgroups_recent[CGROUPS_RECENT];

static __always_inline _Bool is_recent(__u64 id)
{
  return cgroups_recent[id % CGROUPS_RECENT] == id;
}

static __always_inline void set_recent(__u64 id)
{
  cgroups_recent[id % CGROUPS_RECENT] = id;
}

/* fs/kernfs/dir.c kernfs_create_root(): the first id of each hierarchy */
#define CGROUP_ROOT_ID 1

/* Id on the wire: bpftrap_cgroup_event. */
static __always_inline __u64 wire_cgroup_id(struct cgroup *cgroup)
{
  return BPF_CORE_READ(cgroup, kn, id) | (__u64)BPF_CORE_READ(cgroup, root, hierarchy_id)
                                             << BPFTRAP_CGROUP_HIERARCHY_SHIFT;
}

/* set->subsys[controller] */
static __always_inline struct cgroup_subsys_state *css_of(struct css_set *set, __u32 controller)
{
  struct cgroup_subsys_state *css = 0;
  const void *all = (const void *)set + bpf_core_field_offset(struct css_set, subsys);

  bpf_probe_read_kernel(&css, sizeof(css), all + controller * sizeof(css));
  return css;
}

/*
 * Cgroup of a controller's hierarchy that is v1, if it is not the root; else 0. `css` is
 * css_set::subsys[] of the controller.
 */
static __always_inline struct cgroup *cgroup_v1_below_root(struct cgroup_subsys_state *css)
{
  struct cgroup *cgroup = BPF_CORE_READ(css, cgroup);

  if (!BPF_CORE_READ(cgroup, root, hierarchy_id) || BPF_CORE_READ(cgroup, kn, id) == CGROUP_ROOT_ID)
    return 0;
  return cgroup;
}

/* Cgroup of a process in the v1 memory hierarchy, else in that of pids; 0: in the root of both. */
static __noinline struct cgroup *cgroup_v1_of(struct task_struct *leader)
{
  struct css_set *set = BPF_CORE_READ(leader, cgroups);
  struct cgroup *cgroup = 0;

  if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
    cgroup = cgroup_v1_below_root(
        css_of(set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)));
  if (!cgroup && bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
    cgroup =
        cgroup_v1_below_root(css_of(set, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id)));
  return cgroup;
}

struct cgroup_record {
  struct bpftrap_cgroup_event event;
  char names[BPFTRAP_CGROUP_NAMES_SIZE];
};

/*
 * Send the path of the cgroup, unless it was sent before. The cgroup enters the cache after its
 * record is in the buffer, so a program that finds it there reserves behind that record. If the
 * buffer has no room, the next record of the cgroup tries again.
 */
static __noinline int send_cgroup(struct task_struct *leader, __u64 id, __u64 now)
{
  struct cgroup *cgroup;
  struct kernfs_node *node;
  __u8 one = 1;
  struct cgroup_record *record;
  __u32 len = 0, flags = BPFTRAP_CGROUP_TRUNCATED;

  /* Do not send a path twice */
  if (bpf_map_lookup_elem(&cgroups_sent, &id)) {
    set_recent(id);
    return 0;
  }

  record = reserve_record(BPFTRAP_RECORD_CGROUP, sizeof(*record));
  if (!record)
    return 0;

  /* Copy the names from the cgroup up to the root, which has no name */
  cgroup = id >> BPFTRAP_CGROUP_HIERARCHY_SHIFT ? cgroup_v1_of(leader)
                                                : BPF_CORE_READ(leader, cgroups, dfl_cgrp);
  node = BPF_CORE_READ(cgroup, kn);
  for (int depth = 0; depth < BPFTRAP_CGROUP_DEPTH; depth++) {
    struct kernfs_node *parent = kernfs_parent(node);
    long copied;

    if (!parent) {
      flags = 0;
      break;
    }
    if (len > sizeof(record->names) - 256) /* NAME_MAX and the NUL */
      break;
    copied = bpf_probe_read_kernel_str(record->names + len, 256, BPF_CORE_READ(node, name));
    if (copied <= 0)
      break;
    len += copied;
    node = parent;
  }

  /* Send the record, then remember the cgroup */
  fill_header(&record->event, BPFTRAP_RECORD_CGROUP, sizeof(record->event) + len, now);
  record->event.id = id;
  record->event.names_len = len;
  record->event.flags = flags;
  bpf_ringbuf_submit(record, 0);
  bpf_map_update_elem(&cgroups_sent, &id, &one, BPF_ANY);
  set_recent(id);
  return 0;
}

/*
 * Return the id of the process's cgroup, and send its path. `v2_id` is the id in the v2 hierarchy.
 * A process in the root of that may be in a cgroup of v1.
 */
static __always_inline __u64 announce_cgroup_id(struct task_struct *leader, __u64 v2_id, __u64 now)
{
  struct cgroup *v1 = cfg.cgroup_v1 && v2_id == CGROUP_ROOT_ID ? cgroup_v1_of(leader) : 0;
  __u64 id = v1 ? wire_cgroup_id(v1) : v2_id;

  if (!is_recent(id))
    send_cgroup(leader, id, now);
  return id;
}

/* The same for a process whose thread is current. */
static __always_inline __u64 announce_cgroup(struct task_struct *leader, __u64 now)
{
  return announce_cgroup_id(leader,
                            is_current_leader() ? bpf_get_current_cgroup_id()
                                                : BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id),
                            now);
}

/*
 * Hook: kernel/cgroup/cgroup.c css_release_work_fn(), when nothing refers to the cgroup any more,
 * processes that ended in it included. User space drops the path then.
 */
static __always_inline int forget_cgroup(struct cgroup *cgroup)
{
  struct bpftrap_cgroup_gone_event *event;
  __u64 id = wire_cgroup_id(cgroup);

  /* Remove the cgroup from both caches */
  bpf_map_delete_elem(&cgroups_sent, &id);
  if (is_recent(id))
    cgroups_recent[id % CGROUPS_RECENT] = 0;

  /* Tell user space */
  event = reserve_record(BPFTRAP_RECORD_CGROUP_GONE, sizeof(*event));
  if (!event)
    return 0;
  fill_header(event, BPFTRAP_RECORD_CGROUP_GONE, sizeof(*event), bpf_ktime_get_boot_ns());
  event->id = id;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

#endif
