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

struct exec_source {
  const char *filename;
  const char *interp;
  __u64 now;
  __u64 args;      /* user address */
  __u64 args_size; /* bytes */
  __u64 cap_effective;
  __u64 max_rss_pages;
  const struct path_walk *walk; /* with the paths and the identity */
  __u32 exec_id;
  __u32 paths_size;
  __u32 env_len;
  __u32 flags; /* BPFTRAP_EXEC_* */
};

/*
 * Write the record into a reservation with room for so many bytes of each string. If the file name
 * or the interpreter does not fit, discard it and return false: the caller tries a larger one.
 * `last` cuts them.
 */
static __always_inline _Bool submit_exec(const struct exec_source *from, const __u32 path_room,
                                         const __u32 interp_room, const __u32 args_room,
                                         const __u32 walked_room, const _Bool last)
{
  struct bpftrap_exec_event *event;
  __u64 args_len = from->args_size, walked_len, used;
  long path_len, interp_len = 0;
  char *data;

  event = reserve_record(BPFTRAP_RECORD_EXEC,
                         sizeof(*event) + path_room + interp_room + args_room + walked_room);
  if (!event) {
    note_unsent_exec(from->walk->process.start_boot_ns, from->walk->process.pid);
    return 1;
  }
  data = (char *)(event + 1);
  walked_len = copy_paths(event, data, from->walk, walked_room);
  data += walked_len;
  path_len = bpf_probe_read_kernel_str(data, path_room, from->filename);
  if (path_len < 0)
    path_len = 0;
  if (path_len >= path_room && !last) {
    bpf_ringbuf_discard(event, 0);
    return 0;
  }
  used = path_len;
  if (used > path_room)
    used = path_room;
  if (from->interp != from->filename) {
    interp_len = bpf_probe_read_kernel_str(data + used, interp_room, from->interp);
    if (interp_len < 0)
      interp_len = 0;
    if (interp_len >= interp_room && !last) {
      bpf_ringbuf_discard(event, 0);
      return 0;
    }
    used += interp_len;
  }
  event->flags = from->flags;
  event->env_len = from->env_len;
  /* Hide the value: the compiler has the bound from a copy, which verifiers before 6.8 ignore. */
  barrier_var(args_len);
  if (args_len > args_room)
    args_len = args_room;
  if (used > path_room + interp_room)
    used = path_room + interp_room;
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
  event->process = from->walk->process;
  fill_header(event, BPFTRAP_RECORD_EXEC, sizeof(*event) + walked_len + used + args_len,
              from->now);
  bpf_ringbuf_submit(event, 0);
  return 1;
}

/*
 * Return true if argv and the paths need at most that room. The copies are unrelated numbers to the
 * verifier, so that it checks each size of record only once, and not for each path that leads
 * there.
 */
static __always_inline _Bool is_at_most(const struct exec_source *from, __u64 args_room,
                                        __u64 walked_room)
{
  __u64 args = from->args_size, walked = from->paths_size;

  asm volatile("%0 ^= 0" : "+r"(args));
  asm volatile("%0 ^= 0" : "+r"(walked));
  return args <= args_room && walked <= walked_room;
}

/* Submit the record in the smallest reservation that fits. */
static __always_inline void submit_smallest(const struct exec_source *from)
{
  if (is_at_most(from, 232, 127) && submit_exec(from, 128, 32, 232, 127, 0))
    return;
  if (is_at_most(from, 1024, 511) && submit_exec(from, 256, 256, 1024, 511, 0))
    return;

  /* Leave half of the buffer to shorter records and to ends */
  if (is_fuller_than(1)) {
    count_lost(BPFTRAP_RECORD_EXEC);
    note_unsent_exec(from->walk->process.start_boot_ns, from->walk->process.pid);
    return;
  }
  if (is_at_most(from, 2560, 511) && submit_exec(from, 256, 256, 2560, 511, 0))
    return;
  if (is_at_most(from, 8192, 1023) &&
      submit_exec(from, BPFTRAP_FILENAME_SIZE, BPFTRAP_INTERP_SIZE, 8192, 1023, 1))
    return;
  submit_exec(from, BPFTRAP_FILENAME_SIZE, BPFTRAP_INTERP_SIZE, BPFTRAP_ARGS_SIZE,
              paths_room_most(), 1);
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
  struct exec_source from;
  struct path_walk *walk;

  /* Ignore events that the other copy handles */
  from.exec_id = BPF_CORE_READ(task, self_exec_id);
  if (!is_first_to_see(task, from.exec_id, BPFTRAP_RECORD_EXEC, second))
    return 0;

  /* Ignore processes out of scope */
  if (!judge_exec(task))
    return 0;

  note_older_exec(task);

  /* Gather the identity and the places of the strings */
  walk = get_walk(second);
  if (!walk)
    return 0;
  from.now = bpf_ktime_get_boot_ns();
  from.max_rss_pages = has_group_dead() ? 0 : BPF_CORE_READ(task, signal, maxrss);
  from.cap_effective =
      fill_process(&walk->process, task, task_start_boot_ns(task),
                   announce_cgroup(task, from.now, CGROUP_WALK_OF_EXEC + second));
  from.flags = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec) ? BPFTRAP_EXEC_SECURE : 0;
  READ_FIELDS(struct linux_binprm, bprm, strings, (file, file), (filename, from.filename),
              (interp, from.interp));
  /* The file is mm->exe_file by now: fs/exec.c begin_new_exec() */
  gather_paths(second, file);
  from.walk = walk;
  from.paths_size = PATHS_SIZE - walk->begin;
  READ_FIELDS(struct mm_struct, BPF_CORE_READ(task, mm), bounds, (arg_start, from.args),
              (arg_end, args_end), (env_start, env_begin), (env_end, env_end));
  from.args_size = args_end - from.args;
  from.env_len = 0;
  if (cfg.env) {
    from.flags |= BPFTRAP_EXEC_ENV_REQUESTED;
    from.env_len =
        send_environment(second, env_begin, env_end, &walk->process, from.now);
  }

  submit_smallest(&from);
  return 0;
}

#endif
