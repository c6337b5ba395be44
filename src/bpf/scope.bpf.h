/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes are followed. Two kinds of question: what a process is (pid, user, name, cgroup),
 * asked at its exec and answered the same until its next; and whom it descends from, handed down at
 * fork, which no re-parenting undoes.
 */
#ifndef BPFTRAP_SCOPE_BPF_H
#define BPFTRAP_SCOPE_BPF_H

#include "process.bpf.h"

#define VERDICT_WANTED   1
#define VERDICT_UNWANTED 2

/* Keys of --pid; the loader sizes it. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u8);
} pids SEC(".maps");

/* Directories of --cgroup. */
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
  __uint(max_entries, BPFTRAP_CGROUPS_MOST);
  __type(key, __u32);
  __type(value, __u32);
} cgroups SEC(".maps");

/* Goes with the task. For tracing programs since 5.12 (a10787e6d58c); created only where it is. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct bpftrap_mark);
} task_marks SEC(".maps");

/*
 * By process id, which is free again only after the entry was taken out. It can fill up: counted.
 * Beside task_marks it holds what user space marked: there the mark must outlive the thread, for
 * when another one executes a program, that one becomes the leader.
 */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536);
  __type(key, __u32);
  __type(value, struct bpftrap_mark);
} pid_marks SEC(".maps");

/* Followed processes that have not ended: for --wait-all. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} followed SEC(".maps");

/*
 * The leader of a task that a hook handed over: with task storage, whose programs are tracing ones,
 * as a pointer that the verifier knows to be a task.
 */
static __always_inline struct task_struct *leader_of(struct task_struct *task)
{
  return cfg.task_storage ? task->group_leader : BPF_CORE_READ(task, group_leader);
}

/* The same of a task that is current. */
static __always_inline struct task_struct *leader_of_current(struct task_struct *task)
{
  if (cfg.task_storage)
    return task->group_leader;
  return is_current_leader() ? task : BPF_CORE_READ(task, group_leader);
}

static __always_inline struct bpftrap_mark *pid_mark_of(struct task_struct *task)
{
  __u32 pid = BPF_CORE_READ(task, tgid);

  return bpf_map_lookup_elem(&pid_marks, &pid);
}

static __always_inline struct bpftrap_mark *mark_of(struct task_struct *task)
{
  if (!cfg.task_storage)
    return pid_mark_of(task);
  /* Most tasks have nothing stored with them, and to see that takes no call. */
  return task->bpf_storage ? bpf_task_storage_get(&task_marks, task, 0, 0) : 0;
}

static __always_inline struct bpftrap_mark *make_mark(struct task_struct *task)
{
  struct bpftrap_mark *mark, none = {};
  __u32 pid;

  if (cfg.task_storage) {
    mark = bpf_task_storage_get(&task_marks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  } else {
    pid = BPF_CORE_READ(task, tgid);
    bpf_map_update_elem(&pid_marks, &pid, &none, BPF_NOEXIST);
    mark = bpf_map_lookup_elem(&pid_marks, &pid);
  }
  if (!mark)
    count_lost(BPFTRAP_LOST_MARKS);
  return mark;
}

static __always_inline void count_followed(__s64 change)
{
  __u32 zero = 0;
  __u64 *count = bpf_map_lookup_elem(&followed, &zero);

  if (count)
    __sync_fetch_and_add(count, change);
}

static __always_inline _Bool is_followed(struct task_struct *leader)
{
  struct bpftrap_mark *mark;

  if (!cfg.follow)
    return 1;
  mark = mark_of(leader);
  if (cfg.task_storage && !(mark && mark->followed))
    mark = pid_mark_of(leader);
  return mark && mark->followed;
}

static __always_inline _Bool name_matches(struct task_struct *leader)
{
  __u8 comm[BPFTRAP_COMM_SIZE] = {};
  __u64 at = cfg.names.starts;

  bpf_core_read(comm, sizeof(comm), &leader->comm);
  at |= (at & cfg.names.stars) << 1;
  for (int i = 0; i < BPFTRAP_COMM_SIZE; i++) {
    if (!comm[i])
      break;
    at = ((at & cfg.names.masks[comm[i]]) << 1) | (at & cfg.names.stars);
    at |= (at & cfg.names.stars) << 1;
  }
  return (at & cfg.names.accepts) != 0;
}

static __always_inline _Bool in_a_cgroup(void)
{
  for (__u32 i = 0; i < BPFTRAP_CGROUPS_MOST; i++) {
    if (i >= cfg.cgroups)
      break;
    if (bpf_current_task_under_cgroup(&cgroups, i) == 1)
      return 1;
  }
  return 0;
}

/* CLOCK_BOOTTIME ns when all programs were attached, set by user space; 0 before. */
__u64 live_since;

/* What is no pointer costs a tracing program next to nothing to read. */
static __always_inline __u32 flags_of(struct task_struct *task)
{
  return cfg.task_storage ? task->flags : BPF_CORE_READ(task, flags);
}

/* Whether every exec of the process was judged. */
static __always_inline _Bool is_known_from_birth(struct task_struct *leader)
{
  __u64 start = cfg.task_storage ? leader->start_boottime : task_start_boot_ns(leader);

  return live_since && start > live_since;
}

static __always_inline _Bool has_wanted_uid(struct task_struct *leader)
{
  __u32 uid = uid_gid_of(leader);

  for (__u32 i = 0; i < BPFTRAP_UIDS_MOST; i++) {
    if (i >= cfg.uids_count)
      break;
    if (uid == cfg.uids[i])
      return 1;
  }
  return 0;
}

/* What the process is at this moment; current is one of its threads. */
static __always_inline _Bool is_wanted(struct task_struct *leader)
{
  if (cfg.filter_pids) {
    __u32 pid = bpf_get_current_pid_tgid() >> 32;

    if (!bpf_map_lookup_elem(&pids, &pid))
      return 0;
  }
  if (cfg.uids_count && !has_wanted_uid(leader))
    return 0;
  if (cfg.filter_names && !name_matches(leader))
    return 0;
  if (cfg.cgroups && !in_a_cgroup())
    return 0;
  return 1;
}

/* Whether verdicts have to be remembered: of what does not change they need not. */
static __always_inline _Bool is_changeable(void)
{
  return cfg.uids_count || cfg.filter_names || cfg.cgroups;
}

/* For an exec that succeeded: the process is judged anew. */
static __always_inline _Bool judge_exec(struct task_struct *leader)
{
  struct bpftrap_mark *mark;
  _Bool wanted;

  if (!is_followed(leader))
    return 0;
  wanted = is_wanted(leader);
  if (is_changeable()) {
    /* Most are not wanted: of those known from birth, having no mark says so. */
    mark = !wanted && is_known_from_birth(leader) ? mark_of(leader) : make_mark(leader);
    if (mark && !(cfg.keep_wanted && mark->verdict == VERDICT_WANTED))
      mark->verdict = wanted ? VERDICT_WANTED : VERDICT_UNWANTED;
  }
  return wanted;
}

/* For an end: as its execs were judged, without any as the process is now. */
static __always_inline _Bool judge_exit(struct task_struct *leader)
{
  struct bpftrap_mark *mark;

  if (!is_followed(leader))
    return 0;
  if (is_changeable()) {
    mark = mark_of(leader);
    if (mark && mark->verdict)
      return mark->verdict == VERDICT_WANTED;
    if (!(flags_of(leader) & PF_FORKNOEXEC) && is_known_from_birth(leader))
      return 0;
  }
  return is_wanted(leader);
}

static __always_inline void submit_fork(struct task_struct *parent, struct task_struct *child)
{
  struct bpftrap_birth_event *event = bpf_ringbuf_reserve(&records, sizeof(*event), 0);

  if (!event) {
    count_lost(BPFTRAP_RECORD_FORK);
    return;
  }
  fill_header(&event->header, BPFTRAP_RECORD_FORK, sizeof(*event), bpf_ktime_get_boot_ns());
  event->start_boot_ns = task_start_boot_ns(child);
  event->parent_start_boot_ns = task_start_boot_ns(parent);
  event->pid = BPF_CORE_READ(child, tgid);
  event->parent_pid = BPF_CORE_READ(parent, tgid);
  bpf_ringbuf_submit(event, 0);
}

/*
 * For sched_process_fork: kernel/fork.c kernel_clone(), before the child runs; `parent` is
 * current. With task storage threads are marked as well, for one that executes a program becomes
 * the leader.
 */
static __noinline int handle_fork(struct task_struct *parent, struct task_struct *child,
                                  _Bool again)
{
  struct task_struct *leader = leader_of(parent);
  struct bpftrap_mark *mark;
  _Bool process = BPF_CORE_READ(child, pid) == BPF_CORE_READ(child, tgid);

  if (!is_followed(leader) || !claim(child, CLAIM_FORK, BPFTRAP_LOST_MARKS, again))
    return 0;
  if (cfg.follow && (process || cfg.task_storage)) {
    mark = make_mark(child);
    if (mark) {
      mark->followed = 1;
      if (process)
        count_followed(1);
    }
  }
  if (cfg.report_forks && process)
    submit_fork(leader, child);
  return 0;
}

/* For the end of a process's last thread, after the process was judged. */
static __always_inline void forget_process(struct task_struct *leader)
{
  __u32 pid;

  if (cfg.follow && is_followed(leader))
    count_followed(-1);
  /* What is in task storage goes with the task. */
  if (cfg.follow || (is_changeable() && !cfg.task_storage)) {
    pid = bpf_get_current_pid_tgid() >> 32;
    bpf_map_delete_elem(&pid_marks, &pid);
  }
}

#endif
