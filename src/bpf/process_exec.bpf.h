/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Build the record of a successful execve. */
#ifndef BPFTRAP_PROCESS_EXEC_BPF_H
#define BPFTRAP_PROCESS_EXEC_BPF_H

#include "cgroup.bpf.h"
#include "compat.bpf.h"
#include "environment.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "path.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "recursion.bpf.h"
#include "scope.bpf.h"
#include "span.bpf.h"
#include "stream.bpf.h"
#include "unsent_execs.bpf.h"

/*
 * Write a string of the kernel into the record. Return its length with the NUL. It passes through
 * memory, because the verifier follows each value that a register can have.
 */
static __always_inline __u64 copy_string(char *to, const __u32 room, const char *from,
                                         __u32 *memory)
{
  __u64 len;

  *memory = from ? bpf_probe_read_kernel_str(to, room, from) : 0;
  len = *(const volatile __u32 *)memory;
  if (len > room) /* an error */
    len = 0;
  return len;
}

/*
 * Fill in the record, which has room for so many bytes of arguments and paths. Return its size, at
 * most that of the record.
 */
static __always_inline __u64 fill_exec(struct bpftrap_exec_event *event, struct path_walk *walk,
                                       const __u32 args_room, const __u32 walked_room)
{
  struct exec_source *from = &walk->exec;
  __u64 args_len = from->args_size, walked_len, path_len, interp_len, used;
  char *data = (char *)(event + 1);

  walked_len = copy_paths(event, data, walk, walked_room);
  data += walked_len;
  path_len = copy_string(data, BPFTRAP_FILENAME_SIZE, from->filename, &from->path_len);
  interp_len = copy_string(data + path_len, BPFTRAP_INTERP_SIZE, from->interp, &from->interp_len);
  used = path_len + interp_len;
  event->flags = from->flags;
  event->env_len = from->env_len;
  /* Hide the value: the compiler has the bound from a copy, which verifiers before 6.8 ignore. */
  barrier_var(args_len);
  if (args_len > args_room)
    args_len = args_room;
  if (bpf_probe_read_user(data + used, args_len, (const void *)from->args)) {
    event->flags |= BPFTRAP_EXEC_ARGS_UNREADABLE;
    args_len = 0;
  }
  event->cap_effective = from->cap_effective;
  event->args_size = from->args_size;
  event->args_len = args_len;
  event->filename_len = path_len;
  event->interp_len = interp_len;
  event->error = 0;
  event->max_rss_pages = from->max_rss_pages;
  event->exec_id = from->exec_id;
  event->process = walk->process;
  used += sizeof(*event) + walked_len + args_len;
  fill_header(event, BPFTRAP_RECORD_EXEC, used, from->now);
  return used;
}

#define EXEC_ROOM(args, paths)                                                                 \
  (sizeof(struct bpftrap_exec_event) + (paths) + BPFTRAP_FILENAME_SIZE + BPFTRAP_INTERP_SIZE + \
   (args))

/*
 * A record of a usual size is written into memory of the program, and one call copies it into the
 * ring buffer. So it takes no more room there than it needs, and there is only one function that
 * the verifier has to check for all usual sizes.
 */
#define USUAL_ARGS  8192
#define USUAL_PATHS 1023

struct usual_exec {
  struct bpftrap_exec_event event;
  char data[EXEC_ROOM(USUAL_ARGS, USUAL_PATHS + 1) - sizeof(struct bpftrap_exec_event)];
};

/* One entry for each copy of on_exec. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct usual_exec);
} usual_execs SEC(".maps");

/* Each of these functions returns 0 if the ring buffer has no room. They are verified once. */
__noinline int submit_usual_exec(__u32 which)
{
  struct usual_exec *record = bpf_map_lookup_elem(&usual_execs, &which);
  struct path_walk *walk = get_walk(which);
  __u64 size;

  if (!record || !walk)
    return 0;
  size = fill_exec(&record->event, walk, USUAL_ARGS, USUAL_PATHS);
  if (size > sizeof(*record))
    return 0;
  return !bpf_ringbuf_output(&records, record, size, 0);
}

/* Larger records are reserved, because per-CPU memory is limited to 32 KiB. */
static __always_inline int submit_large_exec(__u32 which, const __u32 paths_room)
{
  struct bpftrap_exec_event *event;
  struct path_walk *walk = get_walk(which);

  if (!walk)
    return 0;
  event = bpf_ringbuf_reserve(&records, EXEC_ROOM(BPFTRAP_ARGS_SIZE, paths_room), 0);
  if (!event)
    return 0;
  fill_exec(event, walk, BPFTRAP_ARGS_SIZE, paths_room);
  bpf_ringbuf_submit(event, 0);
  return 1;
}

__noinline int submit_long_args(__u32 which)
{
  return submit_large_exec(which, USUAL_PATHS);
}

__noinline int submit_long_paths(__u32 which)
{
  return submit_large_exec(which, paths_room_most());
}

/* Submit the record, or return 0 if the ring buffer has no room for it. */
static __always_inline int submit_exec(const struct path_walk *walk, __u32 which)
{
  __u64 args = walk->exec.args_size;
  __u32 paths = walk->exec.paths_size;

  /* Leave half of the buffer to shorter records and to ends */
  if ((args > 1024 || paths > 511) && is_fuller_than(1))
    return 0;
  if (paths > USUAL_PATHS)
    return submit_long_paths(which);
  return args > USUAL_ARGS ? submit_long_args(which) : submit_usual_exec(which);
}

/*
 * Hook: fs/exec.c exec_binprm(), after the new program's memory is in place and its credentials are
 * committed; `task` is current and, after de_thread(), the leader. argv is the kernel's copy on the
 * new stack; no other thread exists that could change it.
 */
static __noinline int report_exec(struct task_struct *task, struct linux_binprm *bprm, _Bool second)
{
  char strings[48] SPAN_ALIGNED, bounds[32] SPAN_ALIGNED;
  __u64 file, args_end, env_begin, env_end;
  __u32 exec_id = BPF_CORE_READ(task, self_exec_id);
  const char *interp;
  struct exec_source *to;
  struct path_walk *walk;
  _Bool wanted;

  /* Ignore events that the other copy handles */
  if (cfg.twice && !is_first_to_see(task, exec_id, BPFTRAP_RECORD_EXEC, second))
    return 0;

  /* Ignore processes out of scope */
  wanted = !has_filters() || judge_exec(task);
  if (!wanted && !(cfg.report_execs && is_followed(task)))
    return 0;

  if (cfg.exits_of_execs && wanted)
    note_older_exec(task);

  /* Gather the identity and the places of the strings */
  walk = get_walk(second);
  if (!walk)
    return 0;
  to = &walk->exec;
  to->exec_id = exec_id;
  to->now = bpf_ktime_get_boot_ns();
  to->max_rss_pages = has_group_dead() ? 0 : BPF_CORE_READ(task, signal, maxrss);
  to->cap_effective = fill_process(
      &walk->process, task, task_start_boot_ns(task),
      announce_cgroup_id(task, bpf_get_current_cgroup_id(), to->now, CGROUP_WALK_OF_EXEC + second));
  to->flags = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec) * BPFTRAP_EXEC_SECURE;
  if (cfg.report_execs && !wanted)
    to->flags |= BPFTRAP_EXEC_UNWANTED;
  READ_FIELDS(struct linux_binprm, bprm, strings, (file, file), (filename, to->filename),
              (interp, interp));
  to->interp = interp == to->filename ? 0 : interp;
  /* The file is mm->exe_file by now: fs/exec.c begin_new_exec() */
  gather_paths(second, file);
  to->paths_size = PATHS_SIZE - walk->begin;
  READ_FIELDS(struct mm_struct, BPF_CORE_READ(task, mm), bounds, (arg_start, to->args),
              (arg_end, args_end), (env_start, env_begin), (env_end, env_end));
  to->args_size = args_end - to->args;
  to->env_len = 0;
  if (cfg.env && !(to->flags & BPFTRAP_EXEC_UNWANTED)) {
    to->flags |= BPFTRAP_EXEC_ENV_REQUESTED;
    to->env_len = send_environment(second, env_begin, env_end, &walk->process, to->now);
  }

  if (!submit_exec(walk, second)) {
    /* An exec that the filters reject is no loss of the output */
    count_lost(to->flags & BPFTRAP_EXEC_UNWANTED ? BPFTRAP_KIND_UNWANTED : BPFTRAP_RECORD_EXEC);
    note_unsent_exec(walk->process.start_boot_ns, walk->process.pid);
  }
  return 0;
}

#endif
