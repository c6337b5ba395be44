/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Builds the record of a successful execve. The record is written where it will be read, in a
 * reservation of one of a few fixed sizes: no scratch memory, so nothing breaks if the program is
 * preempted or nested.
 */
#ifndef BPFTRAP_PROCESS_EXEC_BPF_H
#define BPFTRAP_PROCESS_EXEC_BPF_H

#include "scope.bpf.h"

struct exec_source {
  struct task_struct *leader;
  struct linux_binprm *bprm;
  __u64 now;
  __u64 args;      /* user address */
  __u64 args_size; /* bytes */
};

/*
 * Writes the record into a reservation with room for so many bytes of each string. Returns false,
 * and leaves nothing behind, where the file name did not fit and a larger one should be tried.
 */
static __always_inline _Bool submit_exec(const struct exec_source *from, const __u32 path_room,
                                         const __u32 interp_room, const __u32 args_room,
                                         const _Bool last)
{
  struct bpftrap_exec_event *event;
  struct linux_binprm *bprm = from->bprm;
  const char *filename = BPF_CORE_READ(bprm, filename);
  const char *interp = BPF_CORE_READ(bprm, interp);
  __u64 args_len = from->args_size;
  long path_len, interp_len = 0;
  __u64 used;
  char *data;

  event = bpf_ringbuf_reserve(&records, sizeof(*event) + path_room + interp_room + args_room, 0);
  if (!event) {
    count_lost(BPFTRAP_RECORD_EXEC);
    return 1;
  }
  data = (char *)(event + 1);
  path_len = bpf_probe_read_kernel_str(data, path_room, filename);
  if (path_len < 0)
    path_len = 0;
  if (path_len >= path_room && !last) {
    bpf_ringbuf_discard(event, 0);
    return 0;
  }
  used = path_len;
  if (used > path_room)
    used = path_room;
  if (interp != filename) {
    interp_len = bpf_probe_read_kernel_str(data + used, interp_room, interp);
    if (interp_len < 0)
      interp_len = 0;
    if (interp_len >= interp_room && !last) {
      bpf_ringbuf_discard(event, 0);
      return 0;
    }
    used += interp_len;
  }
  event->flags = 0;
  /* The compiler knows the bound already, from a copy that verifiers before 6.8 know nothing of. */
  barrier_var(args_len);
  if (args_len > args_room)
    args_len = args_room;
  if (used > path_room + interp_room)
    used = path_room + interp_room;
  if (bpf_probe_read_user(data + used, args_len, (const void *)from->args)) {
    event->flags = BPFTRAP_EXEC_ARGS_UNREADABLE;
    args_len = 0;
  }
  event->args_size = from->args_size;
  event->args_len = args_len;
  event->filename_len = path_len;
  event->interp_len = interp_len;
  event->error = 0;
  fill_process(&event->process, from->leader);
  fill_header(&event->header, BPFTRAP_RECORD_EXEC, sizeof(*event) + used + args_len, from->now);
  bpf_ringbuf_submit(event, 0);
  return 1;
}

/*
 * For sched_process_exec: fs/exec.c exec_binprm(), after the new program's memory is in
 * place and its credentials are committed; `task` is current and, after de_thread(), the leader.
 * argv is what the kernel copied onto the new stack; no other thread exists that could change it.
 */
static __noinline int report_exec(struct task_struct *task, struct linux_binprm *bprm, _Bool again)
{
  struct exec_source from = {
      .leader = task,
      .bprm = bprm,
      .now = bpf_ktime_get_boot_ns(),
  };
  struct mm_struct *mm = BPF_CORE_READ(task, mm);

  if (!claim(task, BPF_CORE_READ(task, self_exec_id), BPFTRAP_RECORD_EXEC, again))
    return 0;
  if (!judge_exec(task))
    return 0;
  announce_cgroup(from.leader, from.now);
  from.args = BPF_CORE_READ(mm, arg_start);
  from.args_size = BPF_CORE_READ(mm, arg_end) - from.args;
  if (from.args_size <= 232 && submit_exec(&from, 128, 32, 232, 0))
    return 0;
  if (from.args_size <= 1024 && submit_exec(&from, 256, 256, 1024, 0))
    return 0;
  if (from.args_size <= 2560 && submit_exec(&from, 256, 256, 2560, 0))
    return 0;
  if (from.args_size <= 8192 && submit_exec(&from, BPFTRAP_PATH_SIZE, BPFTRAP_INTERP_SIZE, 8192, 1))
    return 0;
  submit_exec(&from, BPFTRAP_PATH_SIZE, BPFTRAP_INTERP_SIZE, BPFTRAP_ARGS_SIZE, 1);
  return 0;
}

#endif
