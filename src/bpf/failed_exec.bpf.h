/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Record of an execve that failed. The new program does not exist, so the strings are read from the
 * caller's memory. Pages that are not in memory cannot be read here: fault_in.bpf.h.
 */
#ifndef BPFTRAP_FAILED_EXEC_BPF_H
#define BPFTRAP_FAILED_EXEC_BPF_H

#include "kernel_types.bpf.h"
#include "process.event.h"
#include "read.bpf.h"
#include "stream.bpf.h"
#include "syscall_exec.bpf.h"

#define ERESTARTSYS      512        /* include/linux/errno.h: from here on the call is made again */
#define FAILED_ARGS_MOST 256        /* arguments of a failed execve that are kept */
#define NOWHERE          (~0xfffUL) /* an address that no process can read */

struct failed_exec {
  struct exec_call call;
  __u64 now;
  __u64 cap_effective;
  const struct bpftrap_process *process;
  const struct bpftrap_path *paths; /* as those of bpftrap_exec_event */
  __u64 names;                      /* kernel address of their bytes */
  __u32 names_size;
  __s32 error;
  __u16 umask;
};

#define SIGSEGV_BIT (1UL << 10)
#define SIGKILL_BIT (1UL << 8)

/*
 * Return true if the caller's old program may be gone, and its memory with it. Behind the point of
 * no return the kernel ends the caller: fs/exec.c bprm_execve() leaves a SIGSEGV that cannot be
 * handled, unless the caller is being killed already.
 */
static __always_inline _Bool is_past_return(struct task_struct *task)
{
  __u64 pending = BPF_CORE_READ(task, pending.signal.sig[0]);

  if (pending & SIGKILL_BIT)
    return 1;
  return (pending & SIGSEGV_BIT) && !BPF_CORE_READ(task, sighand, action[10].sa.sa_handler);
}

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

/*
 * Read one of the caller's pointers. The size is a number to the verifier, and no branch: a branch
 * would double its work for everything that follows.
 */
static __always_inline long read_pointer(__u64 *pointer, __u64 size, __u64 from)
{
  __u64 bytes[2] = {};
  long err;

  err = bpf_probe_read_user(bytes, size & 12, (const void *)from);
  *pointer = bytes[0];
  return err;
}

/* Room for the strings: of the file name, and of arguments in the smaller and the larger record. */
#define SMALL_PATH 256
#define SMALL_ARGS 1024
#define LARGE_PATH 4096 /* PATH_MAX */
#define LARGE_ARGS BPFTRAP_ARGS_SIZE
/* The same of the paths of the caller: a power of two minus one, as in path.bpf.h copy_paths(). */
#define SMALL_NAMES 511

struct failed_args {
  __u64 argv;
  __u64 pointer_size;
  char *strings;
  __u64 used;  /* bytes of `strings` */
  __u32 flags; /* of bpftrap_exec_event */
  __u32 full;  /* 1: they exceed the room */
};

/* Copy one argument behind the others. Return 1 if it is the last one that can be copied. */
static __always_inline long copy_arg(__u32 index, struct failed_args *args, const __u32 path_room,
                                     const __u32 args_room)
{
  __u64 arg, used = args->used;
  long copied;

  if (read_pointer(&arg, args->pointer_size, args->argv + index * args->pointer_size))
    return 1;
  if (!arg) { /* the end of argv: all of it was read */
    args->flags = 0;
    return 1;
  }
  if (used > path_room + args_room) {
    args->full = 1;
    return 1;
  }
  copied = read_user_str(args->strings + used, args_room, arg);
  if (copied <= 0)
    return 1;
  args->used = used + copied;
  if (copied < args_room)
    return 0;
  args->full = 1;
  return 1;
}

static long copy_small_arg(__u32 index, struct failed_args *args)
{
  return copy_arg(index, args, SMALL_PATH, SMALL_ARGS);
}

static long copy_large_arg(__u32 index, struct failed_args *args)
{
  return copy_arg(index, args, LARGE_PATH, LARGE_ARGS);
}

/* Copy the arguments. bpf_loop() came with 5.17; with it the verifier looks at one argument only.
 */
static __always_inline void copy_args(struct failed_args *args, const _Bool large,
                                      const _Bool unrolled)
{
  if (!args->argv)
    return;
  if (!unrolled) {
    bpf_loop(FAILED_ARGS_MOST, large ? copy_large_arg : copy_small_arg, args, 0);
    return;
  }
  for (int i = 0; i < FAILED_ARGS_MOST; i++)
    if (large ? copy_large_arg(i, args) : copy_small_arg(i, args))
      break;
}

/* Write the paths of the caller into the record, their bytes to `to`. Return the number of these.
 */
static __always_inline __u64 copy_names(struct bpftrap_exec_event *event, char *to,
                                        const struct failed_exec *from, const __u32 room)
{
  __u64 size = from->names_size;

  barrier_var(size);
  size &= room;
  bpf_probe_read_kernel(to, size, (const void *)from->names);
  __builtin_memcpy(event->paths, from->paths, sizeof(event->paths));
  event->umask = from->umask;
  event->reserved = 0;
  event->env_len = 0;
  return size;
}

/*
 * Write the record into a reservation with room for the path, and for twice the arguments, because
 * an argument may begin anywhere before the end. If a string does not fit, discard the record and
 * return false: the caller tries a larger one. The largest keeps the strings as far as they fit.
 */
static __always_inline _Bool submit_failed(const struct failed_exec *from, const _Bool large,
                                           const __u32 names_room, const _Bool unrolled)
{
  const __u32 path_room = large ? LARGE_PATH : SMALL_PATH;
  const __u32 args_room = large ? LARGE_ARGS : SMALL_ARGS;
  struct failed_args args = {.argv = from->call.argv, .pointer_size = from->call.pointer_size};
  struct bpftrap_exec_event *event;
  __u64 path_len = 0, args_len, names_len;
  long copied;

  event = bpf_ringbuf_reserve(&records, sizeof(*event) + names_room + path_room + 2 * args_room, 0);
  if (!event) {
    count_lost(BPFTRAP_KIND_FAILED);
    return 1;
  }

  /* Copy the strings */
  args.strings = (char *)(event + 1);
  names_len = copy_names(event, args.strings, from, names_room);
  args.strings += names_len;
  args.flags = args.argv ? BPFTRAP_EXEC_ARGS_UNCOUNTED : 0;
  copied = read_user_str(args.strings, path_room, from->call.filename);
  if (copied > 0)
    path_len = copied;
  if (path_len >= path_room) {
    if (!large)
      goto larger;
    path_len = path_room;
  }
  /*
   * Copied by a helper, the value is unknown to the verifier. Before 6.7 (ab5cfac139ab) it looks at
   * a callback once, with the values of the first call, and removes checks that these never fail.
   */
  bpf_probe_read_kernel(&args.used, sizeof(args.used), &path_len);
  copy_args(&args, large, unrolled);
  if (args.full && !large)
    goto larger;
  args_len = args.used - path_len;
  if (args.flags && !args_len)
    args.flags = BPFTRAP_EXEC_ARGS_UNREADABLE;

  /* Submit the record */
  event->cap_effective = from->cap_effective;
  event->args_size = args_len;
  event->args_len = args_len;
  event->filename_len = path_len;
  event->interp_len = 0;
  event->flags = args.flags;
  event->error = from->error;
  event->max_rss_pages = 0;
  event->exec_id = 0;
  event->process = *from->process;
  fill_header(event, BPFTRAP_RECORD_EXEC, sizeof(*event) + names_len + args.used, from->now);
  bpf_ringbuf_submit(event, 0);
  return 1;
larger:
  bpf_ringbuf_discard(event, 0);
  return 0;
}

/*
 * Return true if the system call that returns is an execve that failed. `call` then says where its
 * strings are.
 */
static __always_inline _Bool is_failed_exec(struct task_struct *task, struct pt_regs *regs,
                                            long result, struct exec_call *call)
{
  struct exec_call found;

  /* Ignore calls that succeeded, and calls that are made again */
  if (result >= 0 || result <= -ERESTARTSYS)
    return 0;

  /* Ignore other system calls, and those that execute nothing */
  if (!is_exec_call(task, regs, &found) || (found.flags & AT_EXECVE_CHECK))
    return 0;
  if (is_past_return(task))
    found.filename = found.argv = NOWHERE;

  /* Copied by a helper, the values are unknown to the verifier. It then checks each path once. */
  bpf_probe_read_kernel(call, sizeof(*call), &found);
  return 1;
}

/* Submit the record, in the smaller reservation if that has room. `names_room`: of the larger. */
static __always_inline void report_strings(const struct failed_exec *from, const __u32 names_room,
                                           const _Bool unrolled)
{
  if (from->names_size > SMALL_NAMES || !submit_failed(from, 0, SMALL_NAMES, unrolled))
    submit_failed(from, 1, names_room, unrolled);
}

#endif
