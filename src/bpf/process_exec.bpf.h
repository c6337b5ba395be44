/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Build the record of a successful execve. The program writes it directly into a reservation of one
 * of a few fixed sizes. Only paths come from scratch memory: path.bpf.h.
 */
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

/* Results of submit_exec(). */
#define EXEC_SUBMITTED 0
#define EXEC_TOO_LARGE 1 /* a string does not fit */
#define EXEC_NO_ROOM   2

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
 * Write the record into a reservation with room for so many bytes of each string. If the file name
 * or the interpreter does not fit, discard it: the caller tries a larger one. `last` cuts them.
 */
static __always_inline int submit_exec(struct path_walk *walk, const __u32 path_room,
                                       const __u32 interp_room, const __u32 args_room,
                                       const __u32 walked_room, const _Bool last)
{
  struct exec_source *from = &walk->exec;
  struct bpftrap_exec_event *event;
  __u64 args_len = from->args_size, walked_len, path_len, interp_len, used;
  char *data;

  event = bpf_ringbuf_reserve(
      &records, sizeof(*event) + path_room + interp_room + args_room + walked_room, 0);
  if (!event)
    return EXEC_NO_ROOM;
  data = (char *)(event + 1);
  walked_len = copy_paths(event, data, walk, walked_room);
  data += walked_len;
  path_len = copy_string(data, path_room, from->filename, &from->path_len);
  interp_len = copy_string(data + path_len, interp_room, from->interp, &from->interp_len);
  if (!last && (path_len >= path_room || interp_len >= interp_room)) {
    bpf_ringbuf_discard(event, 0);
    return EXEC_TOO_LARGE;
  }
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
  fill_header(event, BPFTRAP_RECORD_EXEC, sizeof(*event) + walked_len + used + args_len,
              from->now);
  bpf_ringbuf_submit(event, 0);
  return EXEC_SUBMITTED;
}

/*
 * Return true if argv and the paths need at most that room. The sizes are read again each time, so
 * that the verifier checks each size of record only once, and not for each path that leads there.
 */
static __always_inline _Bool is_at_most(const struct exec_source *from, __u64 args_room,
                                        __u32 walked_room)
{
  return *(const volatile __u64 *)&from->args_size <= args_room &&
         *(const volatile __u32 *)&from->paths_size <= walked_room;
}

/* The sizes of records: a function each, which is verified once. Each returns EXEC_*. */
#define SUBMIT_EXEC(name, ...)                                       \
  __noinline int name(__u32 which)                                   \
  {                                                                  \
    struct path_walk *walk = get_walk(which);                        \
                                                                     \
    return walk ? submit_exec(walk, ##__VA_ARGS__) : EXEC_SUBMITTED; \
  }

SUBMIT_EXEC(submit_exec_usual, 128, 32, 232, 127, 0)
SUBMIT_EXEC(submit_exec_1k, 256, 256, 1024, 511, 0)
SUBMIT_EXEC(submit_exec_2k, 256, 256, 2560, 511, 0)
SUBMIT_EXEC(submit_exec_8k, BPFTRAP_FILENAME_SIZE, BPFTRAP_INTERP_SIZE, 8192, 1023, 1)
SUBMIT_EXEC(submit_exec_32k, BPFTRAP_FILENAME_SIZE, BPFTRAP_INTERP_SIZE, BPFTRAP_ARGS_SIZE, 1023, 1)
SUBMIT_EXEC(submit_exec_most, BPFTRAP_FILENAME_SIZE, BPFTRAP_INTERP_SIZE, BPFTRAP_ARGS_SIZE,
            paths_room_most(), 1)

/* Submit the record in the smallest reservation that fits. */
__noinline int submit_smallest(__u32 which)
{
  const struct path_walk *walk = get_walk(which);
  int result = EXEC_TOO_LARGE;

  if (!walk)
    return EXEC_SUBMITTED;
  if (is_at_most(&walk->exec, 232, 127))
    result = submit_exec_usual(which);
  if (result == EXEC_TOO_LARGE && is_at_most(&walk->exec, 1024, 511))
    result = submit_exec_1k(which);
  if (result != EXEC_TOO_LARGE)
    return result;

  /* Leave half of the buffer to shorter records and to ends */
  if (is_fuller_than(1))
    return EXEC_NO_ROOM;
  if (is_at_most(&walk->exec, 2560, 511))
    result = submit_exec_2k(which);
  if (result != EXEC_TOO_LARGE)
    return result;
  if (is_at_most(&walk->exec, 8192, 1023))
    return submit_exec_8k(which);
  if (is_at_most(&walk->exec, ~0ULL, 1023))
    return submit_exec_32k(which);
  return submit_exec_most(which);
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

  /* Ignore events that the other copy handles */
  if (cfg.twice && !is_first_to_see(task, exec_id, BPFTRAP_RECORD_EXEC, second))
    return 0;

  /* Ignore processes out of scope */
  if (has_filters() && !judge_exec(task))
    return 0;

  if (cfg.exits_of_execs)
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
  if (cfg.env) {
    to->flags |= BPFTRAP_EXEC_ENV_REQUESTED;
    to->env_len = send_environment(second, env_begin, env_end, &walk->process, to->now);
  }

  if (submit_smallest(second) == EXEC_NO_ROOM) {
    count_lost(BPFTRAP_RECORD_EXEC);
    note_unsent_exec(walk->process.start_boot_ns, walk->process.pid);
  }
  return 0;
}

#endif
