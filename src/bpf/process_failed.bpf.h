/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Builds the record of an execve that failed: nothing of the new program exists, so the strings are
 * the caller's own, read when the call returns.
 */
#ifndef BPFTRAP_PROCESS_FAILED_BPF_H
#define BPFTRAP_PROCESS_FAILED_BPF_H

#include "scope.bpf.h"
#include "syscall_exec.bpf.h"

#define ERESTARTSYS      512 /* include/linux/errno.h: from here on the call is made again */
#define FAILED_ARGS_MOST 256 /* arguments of a failed execve that are kept */

struct failed_exec {
  struct exec_call call;
  __u64 now;
  __s32 error;
  struct bpftrap_process process;
};

/*
 * Length with the NUL, or an error. Of an empty string strncpy_from_user_nofault() said 0
 * before 6.2 (mm/maccess.c), though it copied the NUL: 0 becomes 1. Without a branch, for each
 * doubles what the verifier has to look at in a loop.
 */
static __always_inline long read_user_str(char *to, const __u32 room, __u64 from)
{
  long length = bpf_probe_read_user_str(to, room, (const void *)from);

  return length + ((__u64)(length - 1) >> 63);
}

/*
 * Writes the record into a reservation that keeps `path_room` bytes of the file name, and arguments
 * up to `args_room`: twice that is reserved, for an argument may begin anywhere before the end.
 * Returns false, and leaves nothing behind, where that was not enough and more should be tried.
 */
static __always_inline _Bool submit_failed(const struct failed_exec *from, const __u32 path_room,
                                           const __u32 args_room, const _Bool last)
{
  struct bpftrap_exec_event *event;
  __u32 flags = from->call.argv ? BPFTRAP_EXEC_ARGS_UNCOUNTED : 0;
  __u64 path_len = 0, args_len = 0;
  long copied;
  char *data;

  event = bpf_ringbuf_reserve(&records, sizeof(*event) + path_room + 2 * args_room, 0);
  if (!event) {
    count_lost(BPFTRAP_RECORD_EXEC);
    return 1;
  }
  data = (char *)(event + 1);
  copied = read_user_str(data, path_room, from->call.filename);
  if (copied > 0)
    path_len = copied;
  if (path_len >= path_room) {
    if (!last)
      goto larger;
    path_len = path_room;
  }
  for (int i = 0; i < FAILED_ARGS_MOST && from->call.argv; i++) {
    __u64 arg = 0;

    if (bpf_probe_read_user(&arg, sizeof(arg), (const void *)(from->call.argv + i * 8)))
      break;
    if (!arg) {
      flags = 0;
      break;
    }
    if (args_len > args_room) {
      if (!last)
        goto larger;
      break;
    }
    copied = read_user_str(data + path_len + args_len, args_room, arg);
    if (copied <= 0)
      break;
    args_len += copied;
    if (copied >= args_room) {
      if (!last)
        goto larger;
      break;
    }
  }
  if (flags && !args_len)
    flags = BPFTRAP_EXEC_ARGS_UNREADABLE;
  event->args_size = args_len;
  event->args_len = args_len;
  event->filename_len = path_len;
  event->interp_len = 0;
  event->flags = flags;
  event->error = from->error;
  event->process = from->process;
  fill_header(&event->header, BPFTRAP_RECORD_EXEC, sizeof(*event) + path_len + args_len, from->now);
  bpf_ringbuf_submit(event, 0);
  return 1;
larger:
  bpf_ringbuf_discard(event, 0);
  return 0;
}

/*
 * For sys_exit: every system call, current is the caller. Blind to 32-bit callers, and to
 * what another thread changed in the arguments since the call began.
 */
static __always_inline int report_failed_exec(struct pt_regs *regs, long result)
{
  struct task_struct *task, *leader;
  struct failed_exec from = {};

  if (result >= 0 || result <= -ERESTARTSYS)
    return 0;
  task = cfg.task_storage ? (struct task_struct *)bpf_get_current_task_btf()
                          : (struct task_struct *)bpf_get_current_task();
  if (!is_exec_call(task, regs, &from.call))
    return 0;
  leader = leader_of(task);
  if (!is_followed(leader) || !is_wanted(leader))
    return 0;
  from.now = bpf_ktime_get_boot_ns();
  from.error = -result;
  fill_process(&from.process, leader, task_start_boot_ns(leader),
               announce_cgroup(leader, from.now));
  if (!submit_failed(&from, 256, 1024, 0))
    submit_failed(&from, BPFTRAP_PATH_SIZE, BPFTRAP_ARGS_SIZE, 1);
  return 0;
}

#endif
