/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel structs with the fields that bpftrap reads. libbpf relocates offsets at load time (CO-RE),
 * so order and completeness do not matter, and the build needs no kernel BTF. compat.bpf.h handles
 * fields that had another name or type.
 */
#ifndef BPFTRAP_KERNEL_TYPES_BPF_H
#define BPFTRAP_KERNEL_TYPES_BPF_H

#include <linux/types.h>

#include "kernel_file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  int counter;
} atomic_t; /* include/linux/types.h */

struct list_head { /* include/linux/types.h */
  struct list_head *next;
  struct list_head *prev;
};

typedef struct {
  __u32 val;
} kuid_t; /* include/linux/uidgid_types.h */

typedef struct {
  __u32 val;
} kgid_t;

typedef struct {
  __u64 val;    /* before 6.3 (f122a08b197d) two halves, the lower one first */
} kernel_cap_t; /* include/linux/capability.h */

struct cred { /* include/linux/cred.h */
  kuid_t uid;
  kgid_t gid;
  kuid_t euid;
  kgid_t egid;
  kernel_cap_t cap_effective;
};

struct kernfs_node { /* include/linux/kernfs.h */
  const char *name;
  __u64 id;
};

struct cgroup_root { /* include/linux/cgroup-defs.h */
  int hierarchy_id;
};

struct cgroup { /* include/linux/cgroup-defs.h */
  struct kernfs_node *kn;
  struct cgroup_root *root;
};

enum cgroup_subsys_id { /* include/linux/cgroup-defs.h: the values depend on the configuration */
                        memory_cgrp_id,
                        pids_cgrp_id,
};

struct cgroup_subsys_state { /* include/linux/cgroup-defs.h */
  struct cgroup *cgroup;
};

struct css_set {                         /* include/linux/cgroup-defs.h */
  struct cgroup_subsys_state *subsys[2]; /* by cgroup_subsys_id */
  struct cgroup *dfl_cgrp;
};

struct tty_struct { /* include/linux/tty.h */
  char name[64];
};

struct percpu_counter { /* include/linux/percpu_counter.h */
  __s64 count;          /* without what each CPU has not added yet */
};

struct mm_struct { /* include/linux/mm_types.h */
  atomic_t mm_users;
  unsigned long hiwater_rss;
  unsigned long arg_start;
  unsigned long arg_end;
  struct percpu_counter rss_stat[4]; /* another type before 6.2 */
  unsigned long env_start;
  unsigned long env_end;
  struct file *exe_file;
};

struct rq { /* kernel/sched/sched.h */
  __u64 clock;
  __u64 clock_task; /* without the time of interrupts and of the hypervisor */
};

struct cfs_rq {  /* kernel/sched/sched.h */
  struct rq *rq; /* with CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {    /* include/linux/sched.h */
  __u64 exec_start;      /* rq::clock_task when sum_exec_runtime was updated */
  struct cfs_rq *cfs_rq; /* with CONFIG_FAIR_GROUP_SCHED */
  __u64 sum_exec_runtime;
};

struct sched_info { /* include/linux/sched.h; empty without CONFIG_SCHED_INFO */
  unsigned long long run_delay;
};

struct taskstats { /* include/uapi/linux/taskstats.h */
  __u64 cpu_delay_total;
};

struct task_io_accounting { /* include/linux/task_io_accounting.h; empty without the option */
  __u64 read_bytes;
  __u64 write_bytes;
};

struct prev_cputime { /* include/linux/sched.h */
  __u64 utime;
  __u64 stime;
};

typedef struct seqcount {
  unsigned int sequence;
} seqcount_t; /* include/linux/seqlock_types.h */

struct seqcount_spinlock {
  seqcount_t seqcount;
};

typedef struct {
  struct seqcount_spinlock seqcount;
} seqlock_t;

typedef struct {
  unsigned long sig[1];
} sigset_t; /* include/linux/signal_types.h, 64-bit */

struct kernel_siginfo { /* include/linux/signal_types.h */
  int si_signo;
  int si_code;
};

struct sigqueue { /* include/linux/signal_types.h: an entry of sigpending::list */
  struct list_head list;
  struct kernel_siginfo info;
};

struct sigpending { /* include/linux/signal_types.h */
  struct list_head list;
  sigset_t signal;
};

struct signal_struct { /* include/linux/sched/signal.h */
  atomic_t live;
  int nr_threads;
  struct list_head thread_head;
  struct sigpending shared_pending;
  int group_exit_code;
  unsigned int flags;
  struct pid *pids[4]; /* by pid_type */
  struct tty_struct *tty;
  seqlock_t stats_lock;
  __u64 utime;
  __u64 stime;
  struct prev_cputime prev_cputime;
  unsigned long nvcsw;
  unsigned long nivcsw;
  unsigned long min_flt;
  unsigned long maj_flt;
  unsigned long maxrss;
  struct task_io_accounting ioac;
  unsigned long long sum_sched_runtime;
  struct taskstats *stats; /* with CONFIG_TASKSTATS */
  struct mm_struct *oom_mm;
};

typedef void (*__sighandler_t)(int);

struct sigaction { /* include/linux/signal_types.h */
  __sighandler_t sa_handler;
};

struct k_sigaction {
  struct sigaction sa;
};

struct sighand_struct { /* include/linux/sched/signal.h */
  struct k_sigaction action[64];
};

#if defined(__TARGET_ARCH_x86)
struct thread_info { /* arch/x86/include/asm/thread_info.h */
  __u32 status;
};

struct pt_regs { /* arch/x86/include/asm/ptrace.h */
  unsigned long bx;
  unsigned long cx;
  unsigned long r8;
  unsigned long di;
  unsigned long si;
  unsigned long dx;
  unsigned long orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct thread_info { /* arch/arm64/include/asm/thread_info.h */
  unsigned long flags;
};

struct pt_regs { /* arch/arm64/include/asm/ptrace.h */
  __u64 regs[31];
  __u64 orig_x0;
  __s32 syscallno;
};
#endif

struct ns_common { /* include/linux/ns_common.h */
  unsigned int inum;
};

struct pid_namespace { /* include/linux/pid_namespace.h */
  struct ns_common ns;
};

struct upid { /* include/linux/pid.h: a number in one pid namespace */
  int nr;
  struct pid_namespace *ns;
};

struct pid { /* include/linux/pid.h */
  unsigned int level;
  struct upid numbers[1]; /* level + 1 of them */
};

struct task_struct { /* include/linux/sched.h */
  struct thread_info thread_info;
  unsigned int __state; /* before 5.14 `state` */
  void *stack;
  unsigned int flags;
  unsigned int ptrace;
  struct sched_entity se;
  struct sched_info sched_info;
  struct mm_struct *mm;
  int exit_state;
  int exit_code;
  int pid;
  int tgid;
  struct task_struct *real_parent;
  struct task_struct *parent; /* the tracer, if there is one */
  struct task_struct *group_leader;
  struct pid *thread_pid;
  struct list_head thread_node;
  __u64 utime;
  __u64 stime;
  unsigned long nvcsw;
  unsigned long nivcsw;
  __u64 start_boottime;
  unsigned long min_flt;
  unsigned long maj_flt;
  const struct cred *real_cred;
  char comm[16];
  struct fs_struct *fs;
  struct files_struct *files;
  __u64 self_exec_id; /* before 5.7 of 32 bits */
  struct signal_struct *signal;
  struct sighand_struct *sighand;
  struct sigpending pending;
  kuid_t loginuid; /* with CONFIG_AUDIT, as the next */
  unsigned int sessionid;
  struct task_io_accounting ioac;
  struct css_set *cgroups;
  struct task_delay_info *delays;        /* with CONFIG_TASK_DELAY_ACCT */
  struct bpf_local_storage *bpf_storage; /* since 5.11 */
};

struct linux_binprm { /* include/linux/binfmts.h */
  unsigned int secureexec : 1;
  struct file *file;
  const char *filename;
  const char *interp;
};

/*
 * Context of tp/syscalls/sys_enter_NAME and sys_exit_NAME: kernel/trace/trace.h. `args` are the
 * arguments of the system call in the order of its man page.
 */
struct syscall_trace_enter {
  int nr;
  unsigned long args[6];
};

struct syscall_trace_exit {
  int nr;
  long ret; /* -errno after a failure */
};

struct seq_file;

struct hlist_node { /* include/linux/types.h */
  struct hlist_node *next;
};

struct hlist_head {
  struct hlist_node *first;
};

struct bpf_local_storage { /* include/linux/bpf_local_storage.h */
  struct hlist_head list;
};

struct bpf_local_storage_data {
  __u8 data[1];
};

struct bpf_local_storage_elem { /* an entry of bpf_local_storage::list, linked by snode */
  struct hlist_node snode;
  struct bpf_local_storage_data sdata;
};

struct bpf_iter_meta { /* include/linux/bpf.h */
  struct seq_file *seq;
};

struct bpf_iter__task { /* kernel/bpf/task_iter.c */
  struct bpf_iter_meta *meta;
  struct task_struct *task;
};

#pragma clang attribute pop

/* Constants that are not in any BTF. */
/* include/linux/proc_ns.h: the initial pid namespace */
#define PROC_PID_INIT_INO 0xEFFFFFFCU
/* include/linux/mm_types_task.h: indices of mm_struct::rss_stat */
#define MM_FILEPAGES 0
#define MM_ANONPAGES 1
/* include/linux/pid_types.h: enum pid_type, since 4.19 */
#define PIDTYPE_PGID 2
#define PIDTYPE_SID  3
/* include/linux/mm_types_task.h: indices of mm_struct::rss_stat */
#define MM_FILEPAGES  0
#define MM_ANONPAGES  1
#define MM_SHMEMPAGES 3
/* include/linux/sched.h: forked, but did not exec (per thread) */
#define PF_FORKNOEXEC 0x00000040
/* include/linux/sched/signal.h: group_exit_code is set */
#define SIGNAL_GROUP_EXIT 0x00000004

#endif
