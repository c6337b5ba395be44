/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Strings of an execve that failed may lie in pages that nobody has touched. Since 6.9 the kernel
 * looks for the program before it reads them. A program that may sleep brings these pages into
 * memory, and then they can be read as usual.
 *
 * The caller waits for the page, and nobody else. Even so, pages are left alone whose owner may let
 * it wait for ever: those of userfaultfd, and of file systems that are no file system of a disk or
 * of memory, such as FUSE and NFS.
 */
#ifndef BPFTRAP_FAULT_IN_BPF_H
#define BPFTRAP_FAULT_IN_BPF_H

#include "failed_exec.bpf.h"
#include "kernel_types.bpf.h"
#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vm_userfaultfd_ctx { /* include/linux/mm_types.h; empty without the option */
  void *ctx;
};

struct vm_area_struct { /* include/linux/mm_types.h */
  struct file *vm_file;
  struct vm_userfaultfd_ctx vm_userfaultfd_ctx;
};

#pragma clang attribute pop

#define FS_REQUIRES_DEV  1 /* include/linux/fs.h */
#define S_IFMT           0170000
#define S_IFREG          0100000
#define FUSE_SUPER_MAGIC 0x65735546 /* include/uapi/linux/magic.h */
#define TMPFS_MAGIC      0x01021994
#define RAMFS_MAGIC      0x858458f6

#define PAGE_BYTES 4096 /* or more: then a page is looked at several times */
/* An argument of BPFTRAP_ARGS_SIZE bytes may begin anywhere in its first page. */
#define PAGES_MOST (BPFTRAP_ARGS_SIZE / PAGE_BYTES + 1)

/* Memory to copy to. Nobody reads it, so callers do not exclude each other. */
char nowhere[PAGE_BYTES];

static long judge_area(struct task_struct *task, struct vm_area_struct *area, _Bool *harmless)
{
  struct inode *inode;
  struct super_block *block;
  __u64 magic;
  struct file *file;

  if (bpf_core_field_exists(area->vm_userfaultfd_ctx.ctx) &&
      BPF_CORE_READ(area, vm_userfaultfd_ctx.ctx))
    return 0;
  file = BPF_CORE_READ(area, vm_file);
  if (!file) {
    *harmless = 1;
    return 0;
  }
  inode = BPF_CORE_READ(file, f_inode);
  if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
    return 0;
  block = BPF_CORE_READ(inode, i_sb);
  magic = BPF_CORE_READ(block, s_magic);
  if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC)
    *harmless = 1;
  else
    *harmless =
        magic != FUSE_SUPER_MAGIC && (BPF_CORE_READ(block, s_type, fs_flags) & FS_REQUIRES_DEV);
  return 0;
}

/* Bring the page of an address into memory. Return false if that fails, or is refused. */
static __noinline _Bool fault_in(__u64 address)
{
  _Bool harmless = 0;
  char byte;

  if (bpf_find_vma(bpf_get_current_task_btf(), address, judge_area, &harmless, 0) || !harmless)
    return 0;
  return !bpf_copy_from_user(&byte, sizeof(byte), (const void *)address);
}

/* A walk over the arguments of a call, with or without bringing them into memory. */
struct argument_walk {
  __u64 argv;
  __u32 pointer_size;
  __u32 missing; /* 1: something is not in memory */
};

/* Look at the part of a string in one page. Return 0 if the string goes on in the next one. */
static __always_inline long walk_page(__u64 from, struct argument_walk *walk, const _Bool may_sleep)
{
  long room = PAGE_BYTES - (from & (PAGE_BYTES - 1));
  long length = bpf_probe_read_user_str(nowhere, room, (const void *)from);
  char last = 0;

  if (length < 0 && may_sleep && fault_in(from))
    length = bpf_probe_read_user_str(nowhere, room, (const void *)from);
  if (length < 0) {
    walk->missing = 1;
    return 1;
  }
  if (length < room)
    return 1;
  bpf_probe_read_user(&last, sizeof(last), (const void *)(from + room - 1));
  return last == 0;
}

/* Look at one argument. Return 1 behind the last one. */
static __always_inline long walk_argument(__u32 index, struct argument_walk *walk,
                                          const _Bool may_sleep)
{
  __u64 size = walk->pointer_size, at = walk->argv + index * size, from;

  if (read_pointer(&from, size, at) &&
      (!may_sleep || !fault_in(at) || read_pointer(&from, size, at))) {
    walk->missing = 1;
    return 1;
  }
  if (!from)
    return 1;
  for (int page = 0; page < PAGES_MOST; page++) {
    if (walk_page(from, walk, may_sleep))
      break;
    from = (from | (PAGE_BYTES - 1)) + 1;
  }
  return walk->missing ? 1 : 0;
}

static long look_at_argument(__u32 index, struct argument_walk *walk)
{
  return walk_argument(index, walk, 0);
}

/* Return true if the arguments can be read without waiting. */
static __always_inline _Bool is_in_memory(const struct exec_call *call)
{
  struct argument_walk walk = {.argv = call->argv, .pointer_size = call->pointer_size};

  if (call->argv)
    bpf_loop(FAILED_ARGS_MOST, look_at_argument, &walk, 0);
  return !walk.missing;
}

static long fault_in_argument(__u32 index, struct argument_walk *walk)
{
  return walk_argument(index, walk, 1);
}

/* Bring the arguments into memory, up to the first one that cannot be read. */
static __always_inline void fault_in_arguments(const struct exec_call *call)
{
  struct argument_walk walk = {.argv = call->argv, .pointer_size = call->pointer_size};

  if (call->argv)
    bpf_loop(FAILED_ARGS_MOST, fault_in_argument, &walk, 0);
}

#endif
