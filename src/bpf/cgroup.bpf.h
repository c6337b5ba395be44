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
#include "read.bpf.h"
#include "stream.bpf.h"

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

  READ_BYTES(&css, sizeof(css), all + controller * sizeof(css));
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

/*
 * Address of the cgroup in the v1 memory hierarchy, else in that of pids; 0: in the root of both.
 * `set_address` is task_struct::cgroups. Verified once: path.bpf.h.
 */
__noinline __u64 cgroup_v1_of(__u64 set_address)
{
  struct css_set *set = (struct css_set *)set_address;
  struct cgroup *cgroup = 0;

  if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
    cgroup = cgroup_v1_below_root(
        css_of(set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)));
  if (!cgroup && bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
    cgroup =
        cgroup_v1_below_root(css_of(set, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id)));
  return (__u64)cgroup;
}

/*
 * A walk from a cgroup up to the root. It has memory outside the record, and goes up in functions
 * that are verified once: path.bpf.h.
 */
struct cgroup_walk {
  __u64 node; /* address of the struct kernfs_node to look at next */
  __u32 len;  /* bytes in `names` */
  __u32 flags;
  char names[BPFTRAP_CGROUP_NAMES_SIZE];
  char after_names[256]; /* for the verifier, to which a name may begin anywhere in `names` */
};

/*
 * Entries of cgroup_walks, plus 1 for the second copy of a program. Since 7.0 a program can be
 * preempted by a task that runs another one. Before, all programs share the first entry, and the
 * loader creates no other.
 */
#define CGROUP_WALK_OF_EXEC   0
#define CGROUP_WALK_OF_EXIT   2
#define CGROUP_WALK_OF_FORK   4
#define CGROUP_WALK_OF_FAILED 6
#define CGROUP_WALKS          7

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, CGROUP_WALKS);
  __type(key, __u32);
  __type(value, struct cgroup_walk);
} cgroup_walks SEC(".maps");

/* Append the name of a cgroup, and go to its parent. Return 1 at the end of the path. */
__noinline int push_cgroup_name(__u32 which)
{
  struct cgroup_walk *walk = bpf_map_lookup_elem(&cgroup_walks, &which);
  struct kernfs_node *node, *parent;
  long copied;
  __u32 len;

  if (!walk)
    return 1;
  node = (struct kernfs_node *)walk->node;
  parent = kernfs_parent(node);
  /* The root has no name */
  if (!parent) {
    walk->flags = 0;
    return 1;
  }
  len = walk->len;
  if (len > sizeof(walk->names) - 256) /* NAME_MAX and the NUL */
    return 1;
  copied = bpf_probe_read_kernel_str(walk->names + len, 256, BPF_CORE_READ(node, name));
  if (copied <= 0)
    return 1;
  walk->len = len + copied;
  walk->node = (__u64)parent;
  return 0;
}

#define CGROUP_STEPS_AT_ONCE 8

/* Append some names. Return 1 at the end of the path. */
__noinline int push_cgroup_names(__u32 which)
{
  for (int i = 0; i < CGROUP_STEPS_AT_ONCE; i++)
    if (push_cgroup_name(which))
      return 1;
  return 0;
}

struct cgroup_record {
  struct bpftrap_cgroup_event event;
  char names[BPFTRAP_CGROUP_NAMES_SIZE];
};

/*
 * Send the path of the cgroup, unless it was sent before. The cgroup enters the cache after its
 * record is in the buffer, so a program that finds it there reserves behind that record. If the
 * buffer has no room, the next record of the cgroup tries again. `set` is the address of
 * task_struct::cgroups.
 */
__noinline int send_cgroup(__u32 which, __u64 set, __u64 id, __u64 now)
{
  struct cgroup_walk *walk;
  struct cgroup *cgroup;
  struct cgroup_record *record;
  __u8 one = 1;
  __u64 len;

  /* Do not send a path twice */
  if (bpf_map_lookup_elem(&cgroups_sent, &id)) {
    set_recent(id);
    return 0;
  }

  /* Gather the names from the cgroup up to the root */
  which = cfg.twice ? which : 0;
  walk = bpf_map_lookup_elem(&cgroup_walks, &which);
  if (!walk)
    return 0;
  cgroup = cfg.cgroup_v1 && id >> BPFTRAP_CGROUP_HIERARCHY_SHIFT
               ? (struct cgroup *)cgroup_v1_of(set)
               : BPF_CORE_READ((struct css_set *)set, dfl_cgrp);
  walk->node = (__u64)BPF_CORE_READ(cgroup, kn);
  walk->len = 0;
  walk->flags = BPFTRAP_CGROUP_TRUNCATED;
  for (int i = 0; i < BPFTRAP_CGROUP_DEPTH; i += CGROUP_STEPS_AT_ONCE)
    if (push_cgroup_names(which))
      break;

  /* Send the record, then remember the cgroup */
  record = reserve_record(BPFTRAP_RECORD_CGROUP, sizeof(*record));
  if (!record)
    return 0;
  len = walk->len;
  if (len > sizeof(record->names))
    len = sizeof(record->names);
  bpf_probe_read_kernel(record->names, len, walk->names);
  fill_header(&record->event, BPFTRAP_RECORD_CGROUP, sizeof(record->event) + len, now);
  record->event.id = id;
  record->event.names_len = len;
  record->event.flags = walk->flags;
  bpf_ringbuf_submit(record, 0);
  bpf_map_update_elem(&cgroups_sent, &id, &one, BPF_ANY);
  set_recent(id);
  return 0;
}

/*
 * Return the id of the process's cgroup, and send its path. `v2_id` is the id in the v2 hierarchy.
 * A process in the root of that may be in a cgroup of v1. `which` is one of CGROUP_WALK_OF_*.
 */
static __always_inline __u64 announce_cgroup_id(struct task_struct *leader, __u64 v2_id, __u64 now,
                                                __u32 which)
{
  __u64 id = v2_id;

  if (cfg.cgroup_v1 && v2_id == CGROUP_ROOT_ID) {
    struct cgroup *v1 = (struct cgroup *)cgroup_v1_of((__u64)BPF_CORE_READ(leader, cgroups));

    if (v1)
      id = wire_cgroup_id(v1);
  }
  if (!is_recent(id))
    send_cgroup(which, (__u64)BPF_CORE_READ(leader, cgroups), id, now);
  return id;
}

/* The same for a process whose thread is current. */
static __always_inline __u64 announce_cgroup(struct task_struct *leader, __u64 now, __u32 which)
{
  return announce_cgroup_id(leader,
                            is_current_leader() ? bpf_get_current_cgroup_id()
                                                : BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id),
                            now, which);
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
