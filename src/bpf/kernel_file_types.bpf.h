/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Types of the kernel that lead from a process to the names of its files: see kernel_types.bpf.h.
 */
#ifndef BPFTRAP_KERNEL_FILE_TYPES_BPF_H
#define BPFTRAP_KERNEL_FILE_TYPES_BPF_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_bl_node { /* include/linux/list_bl.h */
  struct hlist_bl_node *next, **pprev;
};

struct qstr { /* include/linux/dcache.h */
  __u32 len;
  const unsigned char *name;
};

struct file_system_type { /* include/linux/fs.h */
  int fs_flags;
};

struct super_block { /* include/linux/fs.h */
  struct file_system_type *s_type;
  unsigned long s_magic;
};

struct inode { /* include/linux/fs.h */
  unsigned short i_mode;
  struct super_block *i_sb;
  unsigned long i_ino;
};

struct dentry { /* include/linux/dcache.h; the inline name: compat.bpf.h */
  struct hlist_bl_node d_hash;
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
  struct super_block *d_sb;
};

struct vfsmount { /* include/linux/mount.h */
  struct dentry *mnt_root;
};

struct mount { /* fs/mount.h */
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
};

struct path { /* include/linux/path.h */
  struct vfsmount *mnt;
  struct dentry *dentry;
};

struct file { /* include/linux/fs.h */
  struct inode *f_inode;
  struct path f_path;
};

struct fs_struct { /* include/linux/fs_struct.h */
  int umask;
  struct path root;
  struct path pwd;
};

struct fdtable { /* include/linux/fdtable.h */
  unsigned int max_fds;
  struct file **fd;
};

struct files_struct { /* include/linux/fdtable.h */
  struct fdtable *fdt;
};

#pragma clang attribute pop

#endif
