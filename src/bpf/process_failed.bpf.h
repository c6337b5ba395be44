/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Build the record of an execve that failed. The new program does not exist, so the strings are
 * read from the caller's memory when the call returns.
 */
#ifndef BPFTRAP_PROCESS_FAILED_BPF_H
#define BPFTRAP_PROCESS_FAILED_BPF_H

#include "cgroup.bpf.h"
#include "compat.bpf.h"
#include "identity.bpf.h"
#include "kernel_types.bpf.h"
#include "path.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "scope.bpf.h"
#include "stream.bpf.h"
#include "syscall_exec.bpf.h"

#define ERESTARTSYS      512 /* include/linux/errno.h: from here on the call is made again */
#define FAILED_ARGS_MOST 256 /* arguments of a failed execve that are kept */

struct failed_exec {
  struct exec_call call;
  __u64 now;
  __s32 error;
  __u64 cap_effective;
  struct path_walk *walk; /* with the paths and the identity */
};

/*
 * Return the length with the NUL, or an error. Before 6.2 strncpy_from_user_nofault() returned 0
 * for an empty string (mm/maccess.c), though it copied the NUL: turn 0 into 1. Avoid a branch,
 * because each one in a loop doubles the verifier's work.
 */
static __always_inline long read_user_str(char *to, const __u32 room, __u64 from)
{
  long length = bpf_probe_read_user_str(to, room, (const void *)from);

  return length + ((__u64)(length - 1) >> 63);
}

struct failed_args {
  __u64 len;   /* bytes that were copied */
  __u32 flags; /* of bpftrap_exec_event */
};

/* Copy the arguments, one after the other. Return false if they exceed the room. */
static __always_inline _Bool read_failed_args(struct failed_args *args, char *to,
                                              const __u32 args_room, __u64 argv)
{
  for (int i = 0; i < FAILED_ARGS_MOST && argv; i++) {
    __u64 arg = 0;
    long copied;

    if (bpf_probe_read_user(&arg, sizeof(arg), (const void *)(argv + i * 8)))
      break;
    if (!arg) { /* the end of argv: all of it was read */
      args->flags = 0;
      break;
    }
    if (args->len > args_room)
      return 0;
    copied = read_user_str(to + args->len, args_room, arg);
    if (copied <= 0)
      break;
    args->len += copied;
    if (copied >= args_room)
      return 0;
  }
  return 1;
}

/*
 * Write the record into a reservation that keeps `path_room` bytes of the file name, and arguments
 * up to `args_room`. Twice that is reserved, because an argument may begin anywhere before the end.
 * If a string does not fit, discard the record and return false: the caller tries a larger one.
 * `last` keeps the strings as far as they fit.
 */
static __always_inline _Bool submit_failed(const struct failed_exec *from, const __u32 path_room,
                                           const __u32 args_room, const __u32 walked_room,
                                           const _Bool last)
{
  struct failed_args args = {.flags = from->call.argv ? BPFTRAP_EXEC_ARGS_UNCOUNTED : 0};
  struct bpftrap_exec_event *event;
  __u64 path_len = 0, walked_len;
  long copied;
  char *data;

  event =
      bpf_ringbuf_reserve(&records, sizeof(*event) + path_room + 2 * args_room + walked_room, 0);
  if (!event) {
    count_lost(BPFTRAP_KIND_FAILED);
    return 1;
  }

  /* Copy the strings */
  data = (char *)(event + 1);
  walked_len = copy_paths(event, data, from->walk, walked_room);
  data += walked_len;
  copied = read_user_str(data, path_room, from->call.filename);
  if (copied > 0)
    path_len = copied;
  if (path_len >= path_room) {
    if (!last)
      goto larger;
    path_len = path_room;
  }
  if (!read_failed_args(&args, data + path_len, args_room, from->call.argv) && !last)
    goto larger;
  if (args.flags && !args.len)
    args.flags = BPFTRAP_EXEC_ARGS_UNREADABLE;

  /* Submit the record */
  event->cap_effective = from->cap_effective;
  event->args_size = args.len;
  event->args_len = args.len;
  event->filename_len = path_len;
  event->interp_len = 0;
  event->env_len = 0;
  event->flags = args.flags;
  event->error = from->error;
  event->process = from->walk->process;
  fill_header(&event->header, BPFTRAP_RECORD_EXEC,
              sizeof(*event) + walked_len + path_len + args.len, from->now);
  bpf_ringbuf_submit(event, 0);
  return 1;
larger:
  bpf_ringbuf_discard(event, 0);
  return 0;
}

/*
 * Hook: the end of every system call, current is the caller. The hook does not see 32-bit callers,
 * nor that another thread changed the arguments since the call began.
 */
static __always_inline int report_failed_exec(struct pt_regs *regs, long result)
{
  struct task_struct *task, *leader;
  struct failed_exec from = {};
  __u64 exe;

  /* Ignore calls that succeeded, and calls that are made again */
  if (result >= 0 || result <= -ERESTARTSYS)
    return 0;

  /* Ignore other system calls */
  task = cfg.task_storage ? (struct task_struct *)bpf_get_current_task_btf()
                          : (struct task_struct *)bpf_get_current_task();
  if (!is_exec_call(task, regs, &from.call))
    return 0;

  /* Ignore processes out of scope */
  leader = leader_of(task);
  if (!is_followed(leader) || !is_wanted(leader))
    return 0;

  /* Lose failed execs first: a process can make a million of them per second */
  if (is_fuller_than(2)) {
    count_lost(BPFTRAP_KIND_FAILED);
    return 0;
  }

  /* Gather the identity; submit the record, in the smaller reservation if that has room */
  from.walk = get_walk(WALK_OF_FAILED_EXEC);
  if (!from.walk)
    return 0;
  from.now = bpf_ktime_get_boot_ns();
  from.error = -result;
  from.cap_effective = fill_process(&from.walk->process, leader, task_start_boot_ns(leader),
                                    announce_cgroup(leader, from.now));
  exe = (__u64)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), mm, exe_file);
  gather_paths(WALK_OF_FAILED_EXEC, exe);
  if (PATHS_SIZE - from.walk->begin > 511 || !submit_failed(&from, 256, 1024, 511, 0))
    submit_failed(&from, BPFTRAP_PATH_SIZE, BPFTRAP_ARGS_SIZE, paths_room_most(), 1);
  return 0;
}

#endif
