/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state of a walk along a path, and the kernel structs that it reads: path.bpf.h.
 *
 * The walk writes from right to left, so its place and its length are not known before its end.
 * Therefore it needs memory outside the record. A run has that memory to itself: one entry for each
 * program on each CPU, and the kernel never runs a program twice on one CPU at a time
 * (recursion.bpf.h).
 */
#ifndef BPFTRAP_PATH_STATE_BPF_H
#define BPFTRAP_PATH_STATE_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "read.bpf.h"
#include "span.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Entries of path_walks: each program has its own. The two copies of on_exec have 0 and 1. */
#define WALK_OF_FAILED_EXEC 2
#define WALKS               3

#define INLINE_NAME_MOST 40 /* bytes of a name that is stored in the dentry: DNAME_INLINE_LEN */
#define PATHS_SIZE       (BPFTRAP_PATHS * BPFTRAP_PATH_SIZE)

/* Fields of structs of the kernel; pointers as numbers. */
struct path_fields {
  __u64 mount; /* the struct mount around the struct vfsmount */
  __u64 dentry;
};

struct dentry_fields {
  __u64 hash_place; /* 0: not in the hash, so its name is not found there any more */
  __u64 parent;
  __u64 name;
  __u32 name_len;
};

struct mount_fields {
  __u64 root;
  __u64 parent;
  __u64 mountpoint;
};

/* Facts about an exec, besides its paths: process_exec.bpf.h. */
struct exec_source {
  const char *filename;
  const char *interp; /* 0: none */
  __u64 now;
  __u64 args;      /* user address */
  __u64 args_size; /* bytes */
  __u64 cap_effective;
  __u64 max_rss_pages;
  __u32 exec_id;
  __u32 paths_size;
  __u32 env_len;
  __u32 flags;    /* BPFTRAP_EXEC_* */
  __u32 path_len; /* what copy_string() has returned */
  __u32 interp_len;
};

struct path_walk {
  struct path_fields at;    /* where the walk is */
  struct path_fields root;  /* where it ends */
  struct path_fields start; /* of the next path */
  __u64 known_dentry;       /* `dentry` is about that, 0: about none */
  __u64 known_mount;        /* `mount` likewise */
  struct dentry_fields dentry;
  struct mount_fields mount;
  __u32 levels;  /* names written */
  __u32 end;     /* of the path, in `text` */
  __u32 begin;   /* of what was written of it */
  __u8 kind;     /* of bpftrap_path */
  __u8 nameless; /* its kind if it has no place in a tree; else 0 */
  __u8 deleted;
  __u8 reserved;
  __u32 umask;
  __u64 finished;                 /* address of the finished paths in `text` */
  __u64 files[3];                 /* standard input, output, error */
  struct bpftrap_process process; /* for the caller, as the next: its stack is short, and the */
  struct exec_source exec;        /* verifier would follow each combination of values there */
  struct bpftrap_path paths[BPFTRAP_PATHS];
  char before_bytes[INLINE_NAME_MOST + 4]; /* copy_name() reads and writes too much on the left */
  char bytes[96] SPAN_ALIGNED;             /* of a dentry */
  char other_bytes[56] SPAN_ALIGNED; /* of other structs: the stack has 512 bytes for all callers */
  char before_text[INLINE_NAME_MOST];
  char text[PATHS_SIZE]; /* filled from its end */
  char after_text[256];  /* for the verifier, to which a name may begin anywhere in `text` */
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WALKS);
  __type(key, __u32);
  __type(value, struct path_walk);
} path_walks SEC(".maps");

/*
 * Each function below reads the fields of a struct at once, or, if a kernel orders them
 * differently, one by one. There is one question per struct, and not one per field as in
 * span.bpf.h, because removing unused code is expensive for the verifier, piece by piece.
 */
#define OFFSET(type, field)         bpf_core_field_offset(type, field)
#define FIELD(bytes, offset, begin) (*(const __u64 *)((bytes) + ((offset) - (begin))))

/*
 * A number with the highest bit set unless `offset` is from `begin` on, and eight bytes from there
 * end before `end`. Such numbers are combined without branches: span.bpf.h.
 */
#define OUTSIDE(offset, begin, end) ((__u32)(((offset) - (begin)) | ((end)-8 - (offset))))
#define HAS_HIGHEST(number)         ((__s32)(number) < 0)

static __noinline int read_dentry_fields(struct path_walk *walk)
{
  struct dentry *dentry = (struct dentry *)walk->at.dentry;

  walk->dentry.hash_place = (__u64)BPF_CORE_READ(dentry, d_hash.pprev);
  walk->dentry.parent = (__u64)BPF_CORE_READ(dentry, d_parent);
  walk->dentry.name = (__u64)BPF_CORE_READ(dentry, d_name.name);
  walk->dentry.name_len = BPF_CORE_READ(dentry, d_name.len);
  return 0;
}

static __always_inline __u32 dentry_begin(void)
{
  return OFFSET(struct dentry, d_hash);
}

/* True if a dentry has all that is read from d_hash to the name that is stored in it. */
static __always_inline _Bool is_dentry_in_order(void)
{
  __u32 begin = dentry_begin(), end = inline_name_offset();

  return !HAS_HIGHEST(
      OUTSIDE(OFFSET(struct dentry, d_hash.pprev), begin, end) |
      OUTSIDE(OFFSET(struct dentry, d_parent), begin, end) |
      OUTSIDE(OFFSET(struct dentry, d_name.name), begin, end) |
      (__u32)(sizeof(((struct path_walk *)0)->bytes) - (end + INLINE_NAME_MOST - begin)));
}

static __noinline int read_dentry(struct path_walk *walk)
{
  __u32 begin = dentry_begin();

  if (walk->known_dentry == walk->at.dentry)
    return 0;
  walk->known_dentry = walk->at.dentry;
  if (!is_dentry_in_order()) {
    read_dentry_fields(walk);
    return 0;
  }
  bpf_probe_read_kernel(walk->bytes, inline_name_offset() + INLINE_NAME_MOST - begin,
                        (const void *)walk->at.dentry + begin);
  walk->dentry.hash_place = FIELD(walk->bytes, OFFSET(struct dentry, d_hash.pprev), begin);
  walk->dentry.parent = FIELD(walk->bytes, OFFSET(struct dentry, d_parent), begin);
  walk->dentry.name = FIELD(walk->bytes, OFFSET(struct dentry, d_name.name), begin);
  walk->dentry.name_len = *(const __u32 *)(walk->bytes + OFFSET(struct dentry, d_name.len) - begin);
  return 0;
}

static __always_inline void read_mount(struct path_walk *walk)
{
  const struct mount *mount = (const struct mount *)walk->at.mount;
  __u32 begin = OFFSET(struct mount, mnt_parent), end = begin + 24;
  __u32 mountpoint = OFFSET(struct mount, mnt_mountpoint);
  __u32 root = OFFSET(struct mount, mnt.mnt_root);

  if (walk->known_mount == walk->at.mount)
    return;
  walk->known_mount = walk->at.mount;
  if (!HAS_HIGHEST(OUTSIDE(mountpoint, begin, end) | OUTSIDE(root, begin, end))) {
    READ_BYTES(walk->other_bytes, 24, (const void *)mount + begin);
    walk->mount.parent = FIELD(walk->other_bytes, begin, begin);
    walk->mount.mountpoint = FIELD(walk->other_bytes, mountpoint, begin);
    walk->mount.root = FIELD(walk->other_bytes, root, begin);
  } else {
    walk->mount.parent = (__u64)BPF_CORE_READ(mount, mnt_parent);
    walk->mount.mountpoint = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
    walk->mount.root = (__u64)BPF_CORE_READ(mount, mnt.mnt_root);
  }
}

/* Take a struct path apart. Its two pointers may be in either order. */
static __always_inline void set_path(struct path_fields *to, const char *bytes)
{
  to->mount = FIELD(bytes, OFFSET(struct path, mnt), 0) - OFFSET(struct mount, mnt);
  to->dentry = FIELD(bytes, OFFSET(struct path, dentry), 0);
}

/* Read where the process is, and what it regards as the root. */
static __always_inline void read_fs(struct path_walk *walk, const struct fs_struct *fs)
{
  __u32 umask = OFFSET(struct fs_struct, umask), begin = umask & ~7U, end = begin + 48;
  __u32 root = OFFSET(struct fs_struct, root), pwd = OFFSET(struct fs_struct, pwd);
  char *bytes = walk->other_bytes;

  if (!HAS_HIGHEST(OUTSIDE(root, begin, end - 8) | OUTSIDE(pwd, begin, end - 8))) {
    READ_BYTES(bytes, 48, (const void *)fs + begin);
    walk->umask = *(const __u32 *)(bytes + umask - begin);
    set_path(&walk->root, bytes + root - begin);
    set_path(&walk->start, bytes + pwd - begin);
  } else {
    walk->umask = BPF_CORE_READ(fs, umask);
    READ_BYTES(bytes, 16, (const void *)fs + root);
    set_path(&walk->root, bytes);
    READ_BYTES(bytes, 16, (const void *)fs + pwd);
    set_path(&walk->start, bytes);
  }
}

#endif
