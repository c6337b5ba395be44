/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scope: which processes are traced. Filters ask about the process (pid, user, name, cgroup) at
 * each exec, and the verdict holds until its next exec. Descent is inherited at fork, and
 * re-parenting does not change it. Marks remember both.
 */
#ifndef BPFTRAP_SCOPE_BPF_H
#define BPFTRAP_SCOPE_BPF_H

#include "compat.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "scope.h"
#include "scope_cgroup.bpf.h"
#include "stream.bpf.h"

#define VERDICT_WANTED   1
#define VERDICT_UNWANTED 2

/* Keys of --pid; the loader sets its size. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct bpftrap_known_process);
  __type(value, __u8);
} pids SEC(".maps");

/* Freed with the task. Tracing programs have it since 5.12 (a10787e6d58c); else it is not created.
 */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct bpftrap_mark);
} task_marks SEC(".maps");

/*
 * By process; the entry is removed when the process ends. Marks that find no room are counted. With
 * task_marks, this map holds the marks that must outlive a leader, because another thread that
 * executes a program becomes the leader: those of user space, and those that keep_mark() saves.
 */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536);
  __type(key, struct bpftrap_known_process);
  __type(value, struct bpftrap_mark);
} pid_marks SEC(".maps");

/* Followed processes that have not ended. User space adds those that it marks. */
__u64 followed;

/*
 * Leader of a task that a hook passed. With task storage the programs are tracing programs, and the
 * verifier has to know that the pointer is a task.
 */
static __always_inline struct task_struct *leader_of(struct task_struct *task)
{
  return cfg.task_storage ? task->group_leader : BPF_CORE_READ(task, group_leader);
}

/* The same for a task that is current. */
static __always_inline struct task_struct *leader_of_current(struct task_struct *task)
{
  if (cfg.task_storage)
    return task->group_leader;
  return is_current_leader() ? task : BPF_CORE_READ(task, group_leader);
}

static __always_inline __u64 start_of(struct task_struct *task)
{
  return cfg.task_storage ? task->start_boottime : task_start_boot_ns(task);
}

static __always_inline struct bpftrap_known_process key_of(struct task_struct *leader)
{
  struct bpftrap_known_process key = {
      .start_ticks = start_of(leader) / BPFTRAP_TICK_NS,
      .pid = BPF_CORE_READ(leader, tgid),
  };

  return key;
}

static __always_inline struct bpftrap_mark *pid_mark_of(struct task_struct *leader)
{
  struct bpftrap_known_process key = key_of(leader);

  return bpf_map_lookup_elem(&pid_marks, &key);
}

/* Marks that keep_mark() saved. While it is 0, the lookup of one is not needed. */
__u64 marks_kept;

/* Most tasks have no storage, which one load shows: save the call. */
static __always_inline struct bpftrap_mark *task_mark_of(struct task_struct *task)
{
  return task->bpf_storage ? bpf_task_storage_get(&task_marks, task, 0, 0) : 0;
}

static __always_inline struct bpftrap_mark *mark_of(struct task_struct *leader)
{
  struct bpftrap_mark *mark;

  if (!cfg.task_storage)
    return pid_mark_of(leader);
  mark = task_mark_of(leader);
  return !mark && marks_kept ? pid_mark_of(leader) : mark;
}

static __always_inline struct bpftrap_mark *make_mark(struct task_struct *task)
{
  struct bpftrap_mark *mark, none = {};

  if (cfg.task_storage) {
    mark = bpf_task_storage_get(&task_marks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  } else {
    struct bpftrap_known_process key = key_of(task);

    bpf_map_update_elem(&pid_marks, &key, &none, BPF_NOEXIST);
    mark = bpf_map_lookup_elem(&pid_marks, &key);
  }
  if (!mark)
    count_lost(BPFTRAP_KIND_MARK);
  return mark;
}

/*
 * Save the mark of a leader that ends before other threads do, because its task storage ends with
 * it. An exec by another thread releases the leader after this hook: fs/exec.c de_thread().
 */
static __noinline __attribute__((unused)) int keep_mark(struct task_struct *leader,
                                                        struct signal_struct *signal)
{
  struct bpftrap_mark *mark, *kept, copy;
  struct bpftrap_known_process key;

  mark = task_mark_of(leader);
  if (!mark || !BPF_CORE_READ(signal, live.counter))
    return 0;
  __sync_fetch_and_add(&marks_kept, 1);
  kept = pid_mark_of(leader);
  if (kept) {
    kept->followed |= mark->followed;
    kept->verdict = mark->verdict;
    kept->reported |= mark->reported;
    return 0;
  }
  key = key_of(leader);
  copy = *mark;
  if (bpf_map_update_elem(&pid_marks, &key, &copy, BPF_NOEXIST))
    count_lost(BPFTRAP_KIND_MARK);
  /* If the process has ended meanwhile, forget_process() may have come too early. */
  else if (!BPF_CORE_READ(signal, live.counter))
    bpf_map_delete_elem(&pid_marks, &key);
  return 0;
}

static __always_inline _Bool is_followed(struct task_struct *leader)
{
  struct bpftrap_mark *mark;

  if (!cfg.follow)
    return 1;
  if (cfg.task_storage) {
    mark = task_mark_of(leader);
    if (mark && mark->followed)
      return 1;
  }
  mark = pid_mark_of(leader);
  return mark && mark->followed;
}

static __always_inline _Bool globs_match(const volatile struct bpftrap_globs *globs,
                                         const __u8 *comm)
{
  __u64 at = globs->starts;

  at |= (at & globs->stars) << 1;
  for (int i = 0; i < BPFTRAP_COMM_SIZE; i++) {
    if (!comm[i])
      break;
    at = ((at & globs->masks[comm[i]]) << 1) | (at & globs->stars);
    at |= (at & globs->stars) << 1;
  }
  return (at & globs->accepts) != 0;
}

/* Apply --name and --exclude-name. */
static __always_inline _Bool has_wanted_name(struct task_struct *leader)
{
  __u8 comm[BPFTRAP_COMM_SIZE] = {};

  if (!cfg.filter_names && !cfg.exclude_names)
    return 1;
  bpf_core_read(comm, sizeof(comm), &leader->comm);
  if (cfg.filter_names && !globs_match(&cfg.names, comm))
    return 0;
  return !cfg.exclude_names || !globs_match(&cfg.excluded_names, comm);
}

/* CLOCK_BOOTTIME ns when all programs were attached, set by user space; 0 before. */
__u64 live_since;

/* In a tracing program a plain load of an integer is cheap. */
static __always_inline __u32 flags_of(struct task_struct *task)
{
  return cfg.task_storage ? task->flags : BPF_CORE_READ(task, flags);
}

/* Return true if every exec of the process was judged. */
static __always_inline _Bool is_known_from_birth(struct task_struct *leader)
{
  return live_since && start_of(leader) > live_since;
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

/* Apply the filters to the process as it is now; current is one of its threads. */
static __always_inline _Bool is_wanted(struct task_struct *leader)
{
  if (cfg.filter_pids) {
    struct bpftrap_known_process key = key_of(leader);

    if (!bpf_map_lookup_elem(&pids, &key))
      return 0;
  }
  if (cfg.uids_count && !has_wanted_uid(leader))
    return 0;
  if (!has_wanted_name(leader))
    return 0;
  if (cfg.cgroups_count && !in_a_cgroup())
    return 0;
  return 1;
}

/* Return true if processes have to be judged. One question costs the verifier less than several. */
static __always_inline _Bool has_filters(void)
{
  return cfg.follow | cfg.filter_pids | cfg.uids_count | cfg.filter_names | cfg.exclude_names |
         cfg.cgroups_count;
}

/* Judge the process after a successful exec, and remember the verdict. */
static __noinline __attribute__((unused)) _Bool judge_exec(struct task_struct *leader)
{
  struct bpftrap_mark *mark;
  _Bool wanted;

  if (!is_followed(leader))
    return 0;
  wanted = is_wanted(leader);
  if (bpftrap_keeps_verdicts(&cfg)) {
    mark = mark_of(leader);
    /* Make no mark for an unwanted process that is known from birth: no mark means unwanted */
    if (!mark && (wanted || !is_known_from_birth(leader)))
      mark = make_mark(leader);
    if (mark && !(cfg.keep_wanted && mark->verdict == VERDICT_WANTED))
      mark->verdict = wanted ? VERDICT_WANTED : VERDICT_UNWANTED;
    if (mark && wanted)
      mark->reported = 1;
  }
  return wanted;
}

/* Judge a process that ends: by the verdict of its execs, or as it is now if it has none. */
static __noinline __attribute__((unused)) _Bool judge_exit(struct task_struct *leader)
{
  struct bpftrap_mark *mark;

  if (!is_followed(leader))
    return 0;
  if (bpftrap_keeps_verdicts(&cfg)) {
    mark = mark_of(leader);
    if (mark && mark->verdict)
      return mark->verdict == VERDICT_WANTED;
    if (!(flags_of(leader) & PF_FORKNOEXEC) && is_known_from_birth(leader))
      return 0;
  }
  return is_wanted(leader);
}

/* Return true if user space may remember a process that ends: its fork or an exec was reported. */
static __always_inline _Bool is_remembered(struct task_struct *leader)
{
  struct bpftrap_mark *mark;

  if (cfg.report_forks)
    return !has_filters() || is_followed(leader);
  /* User space remembers execs only for the ends that it reports */
  if (cfg.no_exits)
    return 0;
  if (bpftrap_keeps_verdicts(&cfg)) {
    mark = mark_of(leader);
    return mark && mark->reported;
  }
  return !(flags_of(leader) & PF_FORKNOEXEC) &&
         (!has_filters() || (is_followed(leader) && is_wanted(leader)));
}

/*
 * With cfg.exits_of_execs, processes that are older than the tracer and have executed a program
 * since. Their ends are reported, those of other older processes are not.
 */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, struct bpftrap_known_process);
  __type(value, __u8);
} older_execs SEC(".maps");

/* 1: `older_execs` had no room, so the ends of all older processes are reported. */
__u32 older_execs_overflown;

static __noinline __attribute__((unused)) int note_older_exec(struct task_struct *leader)
{
  struct bpftrap_known_process key;
  __u8 one = 1;

  if (!live_since || is_known_from_birth(leader))
    return 0;
  key = key_of(leader);
  if (bpf_map_update_elem(&older_execs, &key, &one, BPF_ANY))
    older_execs_overflown = 1;
  return 0;
}

/*
 * With cfg.exits_of_execs: return false if the process is known to have no exec record. Call it
 * once, at its end.
 */
static __noinline __attribute__((unused)) _Bool has_reported_exec(struct task_struct *leader)
{
  struct bpftrap_known_process key;
  int err;

  if (is_known_from_birth(leader))
    return 1;
  key = key_of(leader);
  err = bpf_map_delete_elem(&older_execs, &key);
  return !err || older_execs_overflown;
}

/* Remove the marks of a process that ends, after it was judged. They exist only with filters. */
static __noinline __attribute__((unused)) int forget_process(struct task_struct *leader)
{
  struct bpftrap_known_process key;
  struct bpftrap_mark *mark;
  int err = -1;

  /* The kernel frees task storage with the task */
  if (cfg.follow || (bpftrap_keeps_verdicts(&cfg) && (!cfg.task_storage || marks_kept))) {
    key = key_of(leader);
    err = bpf_map_delete_elem(&pid_marks, &key);
  }
  if (!cfg.follow)
    return 0;
  /* User space may remove the mark at the same time: only one of both counts it */
  mark = cfg.task_storage ? task_mark_of(leader) : 0;
  if (!err || (mark && mark->followed))
    __sync_fetch_and_add(&followed, -1);
  return 0;
}

#endif
