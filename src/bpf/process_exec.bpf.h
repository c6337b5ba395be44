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
  const char *filename;
  const char *interp;
  __u64 now;
  __u64 args;      /* user address */
  __u64 args_size; /* bytes */
  struct bpftrap_process process;
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
  event->process = from->process;
  fill_header(&event->header, BPFTRAP_RECORD_EXEC, sizeof(*event) + used + args_len, from->now);
  bpf_ringbuf_submit(event, 0);
  return 1;
}

/*
 * Whether args_size is at most `room`. By a copy that is another number to the verifier, so that it
 * does not look at each size of record once more for each way that leads there.
 */
static __always_inline _Bool is_at_most(const struct exec_source *from, __u64 room)
{
  __u64 size = from->args_size;

  asm volatile("%0 ^= 0" : "+r"(size));
  return size <= room;
}

/*
 * For sched_process_exec: fs/exec.c exec_binprm(), after the new program's memory is in
 * place and its credentials are committed; `task` is current and, after de_thread(), the leader.
 * argv is what the kernel copied onto the new stack; no other thread exists that could change it.
 */
static __noinline int report_exec(struct task_struct *task, struct linux_binprm *bprm, _Bool again)
{
  char strings[16] SPAN_ALIGNED, bounds[16] SPAN_ALIGNED;
  struct exec_source from;
  struct span span;

  if (cfg.twice && !claim(task, BPF_CORE_READ(task, self_exec_id), BPFTRAP_RECORD_EXEC, again))
    return 0;
  if (!judge_exec(task))
    return 0;
  from.now = bpf_ktime_get_boot_ns();
  fill_process(&from.process, task, task_start_boot_ns(task), announce_cgroup(task, from.now));
  span = READ_SPAN(struct linux_binprm, bprm, strings, filename, interp);
  from.filename = (const char *)SPAN_U64(span, struct linux_binprm, filename);
  from.interp = (const char *)SPAN_U64(span, struct linux_binprm, interp);
  span = READ_SPAN(struct mm_struct, BPF_CORE_READ(task, mm), bounds, arg_start, arg_end);
  from.args = SPAN_U64(span, struct mm_struct, arg_start);
  from.args_size = SPAN_U64(span, struct mm_struct, arg_end) - from.args;
  if (is_at_most(&from, 232) && submit_exec(&from, 128, 32, 232, 0))
    return 0;
  if (is_at_most(&from, 1024) && submit_exec(&from, 256, 256, 1024, 0))
    return 0;
  if (is_at_most(&from, 2560) && submit_exec(&from, 256, 256, 2560, 0))
    return 0;
  if (is_at_most(&from, 8192) &&
      submit_exec(&from, BPFTRAP_PATH_SIZE, BPFTRAP_INTERP_SIZE, 8192, 1))
    return 0;
  submit_exec(&from, BPFTRAP_PATH_SIZE, BPFTRAP_INTERP_SIZE, BPFTRAP_ARGS_SIZE, 1);
  return 0;
}

#endif
