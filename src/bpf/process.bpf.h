/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maps and building blocks of the process tracers: the ring buffer, what counts as lost, and who a
 * process is. Included by each program file of a process tracer, once.
 *
 * The kernel's memory is read by BPF_CORE_READ() throughout, so that each program can be loaded as
 * a raw tracepoint, which asks nothing of the kernel's BTF. Where it has to be a tracing program
 * (tp_btf), plain loads of pointers are not cheaper in the end: from 6.2 on the verifier looks
 * through all of the kernel's BTF several times for each of them (kernel/bpf/verifier.c
 * type_is_trusted()), half a millisecond each time.
 */
#ifndef BPFTRAP_PROCESS_BPF_H
#define BPFTRAP_PROCESS_BPF_H

#include "compat.bpf.h"
#include "process.event.h"
#include "scope.h"
#include "span.bpf.h"
#include "stream.bpf.h"

#define EEXIST 17 /* include/uapi/asm-generic/errno-base.h */

const volatile struct bpftrap_scope cfg = {};

/* Cgroups whose path was delivered. A cache: an evicted one is sent again. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, __u8);
} cgroups_sent SEC(".maps");

/*
 * Some of them, each at its id's place: looking here is a load, there 60 ns. Whoever comes second
 * to a place takes it.
 */
#define CGROUPS_RECENT 64
__u64 cgroups_recent[CGROUPS_RECENT];

/* Names a process in maps, for good: a pid alone may be used again. */
struct process_key {
  __u64 start_boot_ns;
  __u32 pid;
  __u32 extra; /* whatever else the map's key tells apart */
};

/*
 * Events that one program has taken and no other may. Entries matter for microseconds, so the least
 * recently used may go.
 */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct process_key);
  __type(value, __u8);
} claimed SEC(".maps");

#define CLAIM_END  0xffffffff /* process_key::extra; the others are numbers of execs */
#define CLAIM_FORK 0xfffffffe

static __always_inline void count_rescued(__u32 kind)
{
  __u32 zero = 0;
  struct bpftrap_lost *mine = bpf_map_lookup_elem(&lost, &zero);

  if (mine && kind < BPFTRAP_KINDS_MOST)
    __sync_fetch_and_add(&mine->rescued[kind], 1);
}

/* Whether nobody has taken the event before. What cannot be decided is counted as lost. */
static __always_inline _Bool claim_key(const struct process_key *key, __u32 kind)
{
  __u8 one = 1;
  /* Before 6.4 (d7ba4cc900bf) the call leaves an int in the lower half of the register. */
  int err = bpf_map_update_elem(&claimed, key, &one, BPF_NOEXIST);

  if (err && err != -EEXIST)
    count_lost(kind);
  return !err;
}

/*
 * Since 7.0 a raw tracepoint's programs can be preempted (a46023d5616e). The kernel lets no program
 * run twice on a CPU at a time, so one that is preempted is left out for whoever meets the
 * tracepoint on that CPU meanwhile (kernel/trace/bpf_trace.c __bpf_trace_run()). So each is loaded
 * twice there, the copies run one after the other, and the first one that gets to run claims the
 * event. `again`: this is the second copy.
 */
static __always_inline _Bool claim(struct task_struct *task, __u32 extra, __u32 kind, _Bool again)
{
  struct process_key key = {.extra = extra};

  if (!cfg.twice)
    return 1;
  key.start_boot_ns = task_start_boot_ns(task);
  key.pid = BPF_CORE_READ(task, pid);
  if (!claim_key(&key, kind))
    return 0;
  if (again)
    count_rescued(kind);
  return 1;
}

/* Mostly it is. Of current helpers tell for less than a read of memory. */
static __always_inline _Bool is_current_leader(void)
{
  __u64 ids = bpf_get_current_pid_tgid();

  return ids >> 32 == (__u32)ids;
}

/*
 * Real user and group of a process, as bpf_get_current_uid_gid() has them: the group in the upper
 * half. `current` is one of its threads.
 */
static __always_inline __u64 uid_gid_of(struct task_struct *leader)
{
  const struct cred *cred;

  if (is_current_leader())
    return bpf_get_current_uid_gid();
  cred = BPF_CORE_READ(leader, real_cred);
  return (__u64)BPF_CORE_READ(cred, gid.val) << 32 | BPF_CORE_READ(cred, uid.val);
}

/* What is told of a process in every record about it. `current` is one of its threads. */
static __always_inline void fill_process(struct bpftrap_process *out, struct task_struct *leader,
                                         __u64 start_boot_ns, __u64 cgroup_id)
{
  struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);
  __u64 uid_gid = uid_gid_of(leader);

  out->start_boot_ns = start_boot_ns;
  out->parent_start_boot_ns = task_start_boot_ns(parent);
  out->cgroup_id = cgroup_id;
  out->pid = bpf_get_current_pid_tgid() >> 32;
  out->ppid = BPF_CORE_READ(parent, tgid);
  out->uid = uid_gid;
  out->gid = uid_gid >> 32;
  bpf_core_read(out->comm, sizeof(out->comm), &leader->comm);
  bpf_core_read(out->parent_comm, sizeof(out->parent_comm), &parent->comm);
}

struct cgroup_record {
  struct bpftrap_cgroup_event event;
  char names[BPFTRAP_CGROUP_NAMES_SIZE];
};

/*
 * Sends the path of the cgroup unless it was sent before. The mark is set after the record is in
 * the buffer, so whoever sees the mark comes behind the record. A path that found no room is tried
 * again with the next record of that cgroup.
 */
static __noinline int send_cgroup(struct task_struct *leader, __u64 id, __u64 now)
{
  struct kernfs_node *node;
  __u8 one = 1;
  struct cgroup_record *record;
  __u32 len = 0, flags = BPFTRAP_CGROUP_TRUNCATED;

  if (bpf_map_lookup_elem(&cgroups_sent, &id)) {
    cgroups_recent[id % CGROUPS_RECENT] = id;
    return 0;
  }
  record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
  if (!record) {
    count_lost(BPFTRAP_RECORD_CGROUP);
    return 0;
  }
  node = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn);
  for (int depth = 0; depth < BPFTRAP_CGROUP_DEPTH; depth++) {
    struct kernfs_node *parent = kernfs_parent(node);
    long copied;

    if (!parent) { /* the root has no name of its own */
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
  fill_header(&record->event.header, BPFTRAP_RECORD_CGROUP, sizeof(record->event) + len, now);
  record->event.id = id;
  record->event.names_len = len;
  record->event.flags = flags;
  bpf_ringbuf_submit(record, 0);
  bpf_map_update_elem(&cgroups_sent, &id, &one, BPF_ANY);
  cgroups_recent[id % CGROUPS_RECENT] = id;
  return 0;
}

/* The id of the process's cgroup, whose path is on its way. `current` is one of its threads. */
static __always_inline __u64 announce_cgroup(struct task_struct *leader, __u64 now)
{
  __u64 id = is_current_leader() ? bpf_get_current_cgroup_id()
                                 : BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);

  if (cgroups_recent[id % CGROUPS_RECENT] != id)
    send_cgroup(leader, id, now);
  return id;
}

/*
 * For cgroup_release: kernel/cgroup/cgroup.c css_release_work_fn(), when nothing refers to
 * the cgroup any more, processes that ended in it included. Without it user space would keep the
 * path of every cgroup that ever was.
 */
static __always_inline int forget_cgroup(struct cgroup *cgroup)
{
  struct bpftrap_cgroup_gone_event *event;
  __u64 id = BPF_CORE_READ(cgroup, kn, id);

  /* Ids are each hierarchy's own; v2 is the first one that the kernel sets up (cgroup_init()). */
  if (BPF_CORE_READ(cgroup, root, hierarchy_id) != 0)
    return 0;
  bpf_map_delete_elem(&cgroups_sent, &id);
  if (cgroups_recent[id % CGROUPS_RECENT] == id)
    cgroups_recent[id % CGROUPS_RECENT] = 0;
  event = bpf_ringbuf_reserve(&records, sizeof(*event), 0);
  if (!event) {
    count_lost(BPFTRAP_RECORD_CGROUP_GONE);
    return 0;
  }
  fill_header(&event->header, BPFTRAP_RECORD_CGROUP_GONE, sizeof(*event), bpf_ktime_get_boot_ns());
  event->id = id;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

#endif
