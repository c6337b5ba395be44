/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --cgroup: is the current process in one of the directories that the user named, or below? Such a
 * directory may be removed and made again, and so may each directory above it. It has another id
 * then, which note_cgroup() finds out before any process can enter it.
 */
#ifndef BPFTRAP_SCOPE_CGROUP_BPF_H
#define BPFTRAP_SCOPE_CGROUP_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "scope.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* By name: the directories of --cgroup and those above them, up to the mount. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1); /* the loader sets it */
  __type(key, struct bpftrap_cgroup_name);
  __type(value, struct bpftrap_cgroup_node);
} cgroup_nodes SEC(".maps");

/* By id: the number of the directory among those. Only for those that exist now. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1); /* the loader sets it */
  __type(key, __u64);
  __type(value, __u32);
} cgroup_numbers SEC(".maps");

/* Present ids of the directories of --cgroup. An id is never used again within a boot. */
__u64 wanted_cgroups[BPFTRAP_CGROUPS_MOST];

/* Levels of the hierarchy that are searched for the directories of --cgroup. */
#define CGROUP_LEVELS 64

static __always_inline _Bool is_wanted_cgroup(__u64 id)
{
  for (__u32 i = 0; i < BPFTRAP_CGROUPS_MOST; i++) {
    if (i >= cfg.cgroups_count)
      break;
    if (wanted_cgroups[i] == id)
      return 1;
  }
  return 0;
}

static __noinline int in_a_cgroup(void)
{
  struct task_struct *task = (void *)bpf_get_current_task();
  struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

  for (int level = 0; level < CGROUP_LEVELS; level++) {
    __u64 id = current_ancestor_id(cgroup, level);

    if (!id)
      break; /* deeper than the cgroup of the process */
    if (is_wanted_cgroup(id))
      return 1;
  }
  return 0;
}

/* The same for a process that is not current. It walks up, because no helper knows its ancestors.
 */
static __noinline __attribute__((unused)) int is_below_a_cgroup(struct task_struct *task)
{
  struct kernfs_node *node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);

  for (int level = 0; level < CGROUP_LEVELS && node; level++) {
    if (is_wanted_cgroup(BPF_CORE_READ(node, id)))
      return 1;
    node = kernfs_parent(node);
  }
  return 0;
}

/*
 * Hook: kernel/cgroup/cgroup.c cgroup_mkdir(), before kernfs_activate() lets anybody see the
 * directory. Calls exclude each other: cgroup_mutex is held.
 */
static __always_inline int note_cgroup(struct cgroup *cgroup)
{
  struct kernfs_node *directory = BPF_CORE_READ(cgroup, kn);
  struct bpftrap_cgroup_name name = {};
  struct bpftrap_cgroup_node *node;
  __u64 id, old_id;
  __u32 *parent;

  /* Ignore v1: each hierarchy has its own ids. The id of the v2 hierarchy is 0. */
  if (BPF_CORE_READ(cgroup, root, hierarchy_id) != 0)
    return 0;

  /* Ignore directories that are neither named by the user nor above one */
  id = BPF_CORE_READ(kernfs_parent(directory), id);
  parent = bpf_map_lookup_elem(&cgroup_numbers, &id);
  if (!parent)
    return 0;
  name.parent = *parent;
  bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(directory, name));
  node = bpf_map_lookup_elem(&cgroup_nodes, &name);
  if (!node)
    return 0;

  /* Replace the id of its predecessor */
  old_id = node->id;
  bpf_map_delete_elem(&cgroup_numbers, &old_id);
  id = BPF_CORE_READ(directory, id);
  node->id = id;
  bpf_map_update_elem(&cgroup_numbers, &id, &node->number, BPF_ANY);
  if (node->wanted && node->wanted <= BPFTRAP_CGROUPS_MOST)
    wanted_cgroups[node->wanted - 1] = id;
  return 0;
}

#endif
