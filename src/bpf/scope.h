/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scope of a tracer: user space writes it into read-only data before the load, so that the verifier
 * removes the code of every filter that is off. Shared with C++.
 */
#ifndef BPFTRAP_SCOPE_H
#define BPFTRAP_SCOPE_H

#include <linux/types.h>

#define BPFTRAP_CGROUPS_MOST 8  /* values of --cgroup */
#define BPFTRAP_UIDS_MOST    16 /* values of --user */

/*
 * Globs as an automaton of 64 positions: bit i means that everything before position i has matched.
 * Reading a byte c moves the bits that masks[c] has to the next position and leaves those of
 * `stars` where they are; from a star the next position is reached without a byte as well.
 */
struct bpftrap_globs {
  __u64 starts;     /* positions before the first byte */
  __u64 stars;      /* positions of `*` */
  __u64 accepts;    /* positions behind the last byte of each glob */
  __u64 masks[256]; /* by byte: positions that it matches; never one of `stars` */
};

struct bpftrap_scope {
  __u64 min_duration_ns; /* exits of processes that lived less are not reported */
  __u64 signals_magic;   /* recognizes this bpftrap's values in the map `task_signals` */
  __u64 own_namespace;   /* address of bpftrap's struct pid_namespace; 0: the initial one */
  __u32 own_level;       /* of that namespace; 0: the initial one */
  __u32 filter_pids;     /* 1: only processes that are keys of the map `pids` */
  __u32 no_exits;        /* 1: no exits are reported */
  __u32 only_executed;   /* 1: no exits of processes that never executed a program */
  __u32 only_failed;     /* 1: no exits with status 0 */
  __u32 uids_count;      /* only processes whose real uid is one of so many in `uids`; 0: any */
  __u32 filter_names;    /* 1: only processes whose comm matches `names` */
  __u32 exclude_names;   /* 1: no processes whose comm matches `excluded_names` */
  __u32 cgroups_count;   /* only processes in one of so many `wanted_cgroups`, or below; 0: any */
  __u32 follow;          /* 1: only processes that are marked, and what they fork from then on */
  __u32 report_forks;    /* 1: all forks of traced processes are reported, for state */
  __u32 task_storage;    /* 1: marks are kept in the map `task_marks`, 0: in `pid_marks` */
  __u32 signal_storage;  /* 1: signals are kept in the map `task_signals` */
  __u32 keep_wanted;     /* 1: the exit of a process is wanted if one of its execs was */
  __u32 twice;           /* 1: programs are loaded twice: recursion.bpf.h */
  __u32 cgroup_v1;       /* 1: the memory or the pids controller is in a v1 hierarchy */
  __u32 write_forks;     /* 1: forks that pass the filters are reported, too */
  __u32 exits_of_execs;  /* 1: no exits of processes without an exec record */
  __u32 deferred_execs;  /* 1: records of failed execs may be left to deferred_exec.bpf.h */
  __u32 stdio;           /* 1: what fds 0, 1 and 2 refer to is recorded */
  __u32 env;             /* 1: environment variables that match `variables` are recorded */
  __u32 report_final;    /* 1: the last account of each process is reported */
  __u32 report_execs;    /* 1: all execs of traced processes are reported, for state */
  __u32 uids[BPFTRAP_UIDS_MOST];
  struct bpftrap_globs names;
  struct bpftrap_globs excluded_names;
  struct bpftrap_globs variables;
};

/*
 * Return true if the verdict of a filter has to be remembered. The pid of a process never changes,
 * so --pid needs no memory.
 */
static inline int bpftrap_keeps_verdicts(const volatile struct bpftrap_scope *scope)
{
  return scope->uids_count || scope->filter_names || scope->exclude_names || scope->cgroups_count;
}

/* Key of a process in maps. The start makes it unique, because pids are used again. */
struct bpftrap_process_key {
  __u64 start_boot_ns;
  __u32 pid;   /* in the initial pid namespace */
  __u32 extra; /* whatever else distinguishes entries of the map */
};

/*
 * Key of a process in maps that user space fills: it may know no more of the start than
 * /proc/PID/stat shows. No pid is used again within a clock tick.
 */
struct bpftrap_known_process {
  __u64 start_ticks; /* start_boot_ns in units of BPFTRAP_TICK_NS */
  __u32 pid;         /* in the initial pid namespace */
  __u32 reserved;
};

#define BPFTRAP_TICK_NS                                                     \
  10000000 /* 1 / USER_HZ, the same for all processors that bpftrap runs on \
            */

/* The fork that creates PROGRAM: the next one of the thread that user space names. */
struct bpftrap_founder {
  __u64 child_start_boot_ns; /* set with child_pid by the program */
  __u32 tid;                 /* in the initial pid namespace; 0: no such fork is due */
  __u32 child_pid;           /* PROGRAM, once it is followed; 0: not yet */
};

#define BPFTRAP_CGROUP_LEVELS_MOST 32 /* of a directory of --cgroup, below the mount */

/* Key of a cgroup directory by its name in another one. */
struct bpftrap_cgroup_name {
  __u32 parent;   /* number of that other directory */
  char text[256]; /* NAME_MAX, then zeros */
};

/* A cgroup directory that is one of --cgroup or above one. */
struct bpftrap_cgroup_node {
  __u64 id;     /* of its kernfs node; 0: it does not exist */
  __u32 number; /* of this directory among them */
  __u32 wanted; /* it is one of --cgroup: one more than its index in `wanted_cgroups`; 0: above */
};

/* Memory about a process. */
struct bpftrap_mark {
  __u8 followed; /* 1: a member */
  __u8 verdict;  /* how its last exec was judged: 0 not yet, 1 wanted, 2 not wanted */
  __u8 reported; /* 1: one of its execs was reported */
  __u8 reserved[5];
};

/* Kind of a mark, which is no record: lost ones, for which the map had no room, count as this. */
#define BPFTRAP_KIND_MARK 7

#ifdef __cplusplus
static_assert(sizeof(bpftrap_mark) == 8);
static_assert(sizeof(bpftrap_globs) == 8 * (3 + 256));
static_assert(sizeof(bpftrap_process_key) == 16);
static_assert(sizeof(bpftrap_cgroup_name) == 260);
static_assert(sizeof(bpftrap_cgroup_node) == 16);
static_assert(sizeof(bpftrap_known_process) == 16);
static_assert(sizeof(bpftrap_founder) == 16);
static_assert(sizeof(bpftrap_scope) == 120 + 4 * BPFTRAP_UIDS_MOST + 3 * sizeof(bpftrap_globs));
#endif

#endif
