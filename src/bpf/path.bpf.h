/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Paths of the current process: executable, current directory, and on request what standard input,
 * output and error refer to. A path is walked from the file up to the root directory of the
 * process, across mounts, as fs/d_path.c prepend_path() does.
 *
 * Functions that are not static are verified once, by themselves, and not once per call. A loop
 * around one costs the verifier next to nothing, on any kernel and without bpf_loop().
 */
#ifndef BPFTRAP_PATH_BPF_H
#define BPFTRAP_PATH_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "path_state.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define PATH_LEVELS_MOST 40 /* names in a path */
#define PATH_STEPS_MOST  64 /* names and mounts */

/* File systems without names: include/uapi/linux/magic.h. */
#define PIPEFS_MAGIC        0x50495045
#define SOCKFS_MAGIC        0x534F434B
#define ANON_INODE_FS_MAGIC 0x09041934
#define PID_FS_MAGIC        0x50494446
#define NSFS_MAGIC          0x6e736673
#define DMA_BUF_MAGIC       0x444d4142

/*
 * Copy a name in front of the path. A name that is stored in the dentry is in `bytes` already: copy
 * the 40 bytes that end with it, which costs less than a call. Those before it are overwritten.
 */
static __always_inline void copy_name(struct path_walk *walk, __u32 begin, __u32 end, __u32 len)
{
  __u32 offset = inline_name_offset();
  const __u64 *from;
  __u64 *to;

  if (is_dentry_in_order() && walk->dentry.name == walk->at.dentry + offset &&
      len <= INLINE_NAME_MOST) {
    from = (const __u64 *)(walk->bytes + offset - dentry_begin() + len);
    to = (__u64 *)(walk->text + end);
    for (int i = 1; i <= INLINE_NAME_MOST / 8; i++)
      to[-i] = from[-i];
    return;
  }
  bpf_probe_read_kernel(walk->text + begin, len, (const void *)walk->dentry.name);
}

/* Write `/` and the name of the dentry. Return false if the path is too long. */
static __always_inline _Bool push_name(struct path_walk *walk)
{
  __u32 len = walk->dentry.name_len;
  __u32 end = walk->begin, begin = end - len, slash = begin - 1;

  walk->kind = BPFTRAP_PATH_LONG;
  barrier_var(begin);
  barrier_var(slash);
  if (!len || len > 255 || end > PATHS_SIZE || begin > PATHS_SIZE || slash >= PATHS_SIZE ||
      walk->end - slash >= BPFTRAP_PATH_SIZE)
    return 0;
  walk->kind = BPFTRAP_PATH_NONE;
  copy_name(walk, begin, end, len);
  walk->text[slash] = '/';
  walk->begin = slash;
  walk->levels++;
  return 1;
}

static __always_inline void push_number(struct path_walk *walk, __u64 number)
{
  __u32 begin = walk->begin - sizeof(number);

  if (begin > PATHS_SIZE - sizeof(number))
    return;
  *(__u64 *)(walk->text + begin) = number;
  walk->begin = begin;
}

/*
 * The file has no place in a tree of directories: `d_dname` of its dentry makes its name. Return
 * true if that consists of the name of the dentry.
 */
static __always_inline _Bool name_nameless(struct path_walk *walk)
{
  struct dentry *dentry = (struct dentry *)walk->at.dentry;

  switch (BPF_CORE_READ(dentry, d_sb, s_magic)) {
    case PIPEFS_MAGIC:
      push_number(walk, BPF_CORE_READ(dentry, d_inode, i_ino));
      walk->kind = BPFTRAP_PATH_PIPE;
      return 0;
    case SOCKFS_MAGIC:
      push_number(walk, BPF_CORE_READ(dentry, d_inode, i_ino));
      walk->kind = BPFTRAP_PATH_SOCKET;
      return 0;
    case PID_FS_MAGIC:
      walk->kind = BPFTRAP_PATH_PIDFD;
      return 0;
    case NSFS_MAGIC:
    case DMA_BUF_MAGIC:
      return 0;
    case ANON_INODE_FS_MAGIC:
      walk->nameless = BPFTRAP_PATH_ANON;
      return 1;
    default: /* simple_dname(): memfd and the like */
      walk->deleted = 1;
      walk->nameless = BPFTRAP_PATH_REACHED;
      return 1;
  }
}

/* Go up one level, or one mount. Return 1 at the end of the path. */
__noinline int step_up(__u32 which)
{
  struct path_walk *walk = bpf_map_lookup_elem(&path_walks, &which);

  if (!walk)
    return 1;
  if (walk->at.dentry == walk->root.dentry && walk->at.mount == walk->root.mount) {
    walk->kind = BPFTRAP_PATH_REACHED;
    return 1;
  }
  read_mount(walk);
  if (walk->at.dentry == walk->mount.root) {
    if (walk->at.mount == walk->mount.parent) {
      walk->kind = BPFTRAP_PATH_OUTSIDE;
      return 1;
    }
    walk->at.dentry = walk->mount.mountpoint;
    walk->at.mount = walk->mount.parent;
    return 0;
  }
  read_dentry(walk);
  if (walk->dentry.parent == walk->at.dentry && (walk->levels || !name_nameless(walk)))
    return 1;
  if (!walk->dentry.parent)
    return 1;
  if (walk->levels == PATH_LEVELS_MOST) {
    walk->kind = BPFTRAP_PATH_LONG;
    return 1;
  }
  if (!push_name(walk))
    return 1;
  if (walk->nameless) {
    walk->kind = walk->nameless;
    walk->begin += walk->nameless == BPFTRAP_PATH_ANON; /* without the slash */
    return 1;
  }
  walk->at.dentry = walk->dentry.parent;
  return 0;
}

#define PATH_STEPS_AT_ONCE 8

/* Go up some levels. Return 1 at the end of the path. Two loops cost less to verify than one. */
__noinline int go_up(__u32 which)
{
  for (int i = 0; i < PATH_STEPS_AT_ONCE; i++)
    if (step_up(which))
      return 1;
  return 0;
}

/* Walk up from `start`, and note the result as number `index`. */
__noinline int walk_path(__u32 which, __u32 index)
{
  struct path_walk *walk = bpf_map_lookup_elem(&path_walks, &which);
  struct bpftrap_path *path;
  int steps;

  if (!walk || index >= BPFTRAP_PATHS)
    return 0;
  walk->at = walk->start;
  walk->levels = 0;
  walk->nameless = 0;
  walk->kind = BPFTRAP_PATH_NONE;
  walk->end = walk->begin;
  read_dentry(walk);
  walk->deleted = !walk->dentry.hash_place && walk->dentry.parent != walk->at.dentry;
  for (steps = 0; steps < PATH_STEPS_MOST; steps += PATH_STEPS_AT_ONCE)
    if (go_up(which))
      break;
  if (steps == PATH_STEPS_MOST)
    walk->kind = BPFTRAP_PATH_LONG;
  if (walk->kind == BPFTRAP_PATH_NONE || walk->kind == BPFTRAP_PATH_LONG)
    walk->begin = walk->end;
  else if (!walk->levels && walk->kind <= BPFTRAP_PATH_OUTSIDE && walk->begin - 1 < PATHS_SIZE)
    walk->text[--walk->begin] = '/';
  path = &walk->paths[index];
  path->len = walk->end - walk->begin;
  path->kind = walk->kind;
  path->deleted = walk->deleted;
  return 0;
}

/* Walk up from an open file. */
static __always_inline void walk_file(__u32 which, struct path_walk *walk, __u64 file, __u32 index)
{
  READ_BYTES(walk->other_bytes, 16, file + OFFSET(struct file, f_path));
  set_path(&walk->start, walk->other_bytes);
  walk_path(which, index);
}

/* Walk up from standard error, output and input, in this order. */
static __always_inline void walk_standard_files(__u32 which, struct path_walk *walk,
                                                struct task_struct *task)
{
  struct path_fields pwd = walk->start;

  bpf_probe_read_kernel(walk->files, sizeof(walk->files), BPF_CORE_READ(task, files, fdt, fd));
  for (int fd = 2; fd >= 0; fd--)
    if (walk->files[fd])
      walk_file(which, walk, walk->files[fd], BPFTRAP_PATH_STDIN + fd);
  walk->start = pwd;
}

/*
 * Gather the paths of the current process. `exe` is the address of the struct file of its
 * executable. They are in `text` from `begin` on, in the order of their numbers.
 */
__noinline int gather_paths(__u32 which, __u64 exe)
{
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  struct path_walk *walk = bpf_map_lookup_elem(&path_walks, &which);

  if (!walk)
    return 0;
  __builtin_memset(walk->paths, 0, sizeof(walk->paths));
  walk->known_mount = 0;
  walk->known_dentry = 0;
  walk->begin = PATHS_SIZE;
  read_fs(walk, BPF_CORE_READ(task, fs));
  if (cfg.stdio)
    walk_standard_files(which, walk, task);
  walk_path(which, BPFTRAP_PATH_CWD);
  if (exe)
    walk_file(which, walk, exe, BPFTRAP_PATH_EXE);
  if (walk->begin <= PATHS_SIZE)
    walk->finished = (__u64)(walk->text + walk->begin);
  return 0;
}

/* The memory of one program on this CPU. */
static __always_inline struct path_walk *get_walk(__u32 which)
{
  return bpf_map_lookup_elem(&path_walks, &which);
}

/* Room for the paths in the largest record, and the largest value of `size` in copy_paths(). */
static __always_inline __u32 paths_room_most(void)
{
  return cfg.stdio ? 0x7fff : 0x1fff;
}

_Static_assert(PATHS_SIZE <= 0x7fff, "the paths of all files must fit");
_Static_assert(2 * BPFTRAP_PATH_SIZE <= 0x1fff + 1, "two paths, which have no NUL, must fit");

/*
 * Write the paths into the record, their bytes to `to`. Return the number of these bytes, which is
 * at most `room`: a power of two minus one, so that the verifier learns the bound without a branch.
 * Each branch here would double its work on the rest of the record.
 */
static __always_inline __u64 copy_paths(struct bpftrap_exec_event *event, char *to,
                                        const struct path_walk *walk, const __u32 room)
{
  __u64 size = PATHS_SIZE - walk->begin;

  barrier_var(size);
  size &= room;
  bpf_probe_read_kernel(to, size, (const void *)walk->finished);
  __builtin_memcpy(event->paths, walk->paths, sizeof(event->paths));
  event->umask = walk->umask;
  event->reserved = 0;
  return size;
}

#endif
