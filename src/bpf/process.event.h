/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of the process tracers (exec, exit). Rules: record.h. */
#ifndef BPFTRAP_PROCESS_EVENT_H
#define BPFTRAP_PROCESS_EVENT_H

#include "record.h"

#define BPFTRAP_RECORD_EXEC        1
#define BPFTRAP_RECORD_EXIT        2
#define BPFTRAP_RECORD_CGROUP      3
#define BPFTRAP_RECORD_CGROUP_GONE 4
#define BPFTRAP_RECORD_FORK        5
#define BPFTRAP_RECORD_GONE        6
#define BPFTRAP_RECORD_ENVIRONMENT 8 /* 7: BPFTRAP_KIND_MARK */
#define BPFTRAP_RECORD_FINAL       9

/* Kinds in bpftrap_lost of a failed exec, and of one that filters reject. The record of both is
 * BPFTRAP_RECORD_EXEC.
 */
#define BPFTRAP_KIND_FAILED   15
#define BPFTRAP_KIND_UNWANTED 14

#define BPFTRAP_COMM_SIZE         16 /* TASK_COMM_LEN, include/linux/sched.h */
#define BPFTRAP_TTY_SIZE          16 /* name of a terminal, with its NUL; a longer one is unknown */
#define BPFTRAP_PATH_SIZE         4096  /* PATH_MAX, with its NUL */
#define BPFTRAP_FILENAME_SIZE     4128  /* the same behind `/dev/fd/N/` of an execveat() */
#define BPFTRAP_INTERP_SIZE       2048  /* more than binfmt_misc takes: MAX_REGISTER_LENGTH there */
#define BPFTRAP_ARGS_SIZE         32768 /* bytes of argv that are kept at most */
#define BPFTRAP_ENV_STRING_SIZE   8448  /* bytes of NAME=value that are kept, with its NUL */
#define BPFTRAP_ENV_UNREADABLE    0xffffffff
#define BPFTRAP_ENV_SIZE          65536 /* bytes of all variables that are kept, NULs included */
#define BPFTRAP_CGROUP_DEPTH      32    /* levels below the root that a path may have */
#define BPFTRAP_CGROUP_NAMES_SIZE 4096  /* bytes of such a path */

#define BPFTRAP_ID_UNSET 0xffffffffu /* of login_uid and audit_session */

/*
 * Identity of a process, part of every record about it. Ids are those of the initial namespaces.
 */
struct bpftrap_process {
  __u64 start_boot_ns;        /* start of the thread-group leader: with pid, unique in one boot */
  __u64 parent_start_boot_ns; /* the same of the real parent */
  __u64 cgroup_id;            /* as in bpftrap_cgroup_event */
  __u32 pid;                  /* thread-group ids */
  __u32 ppid;
  __u32 uid; /* real */
  __u32 gid;
  __u32 euid; /* effective */
  __u32 egid;
  __u32 login_uid; /* of the audit system; BPFTRAP_ID_UNSET: none */
  __u32 audit_session;
  __u32 session_id; /* 0: none, as that of a kernel thread */
  __u32 process_group;
  __u32 local_pid; /* the same in bpftrap's own pid namespace; 0: outside it */
  __u32 local_ppid;
  __u32 ns_pid; /* pid in the process's innermost pid namespace, and the inode of that */
  __u32 pid_ns_inode;
  char comm[BPFTRAP_COMM_SIZE]; /* of the thread-group leader */
  char parent_comm[BPFTRAP_COMM_SIZE];
  char tty[BPFTRAP_TTY_SIZE]; /* controlling terminal, as tty_struct::name; empty: none */
};

/* The process that sent a signal. */
struct bpftrap_sender {
  __u64 start_boot_ns;
  __u32 pid;       /* 0: none */
  __u32 local_pid; /* in bpftrap's own pid namespace; 0: outside it */
  char comm[BPFTRAP_COMM_SIZE];
};

/*
 * Account of a thread so far. It is exact if the thread is not running at the event; else it ends
 * at the last timer tick. A thread whose number of switches did not change has not slept since.
 */
struct bpftrap_account {
  __u64 runtime_ns;   /* CPU time */
  __u64 run_delay_ns; /* time that it was runnable without a CPU; 0 without CONFIG_SCHED_INFO */
  __u64 voluntary_switches;
  __u32 tid;
  __u32 state; /* task_struct::__state, include/linux/sched.h */
};

/* Bits of bpftrap_exec_event::flags. */
#define BPFTRAP_EXEC_ARGS_UNREADABLE 1u    /* a page of argv could not be read: args_len is 0 */
#define BPFTRAP_EXEC_ARGS_UNCOUNTED  2u    /* there were more, nobody knows how many */
#define BPFTRAP_EXEC_SECURE          4u    /* AT_SECURE: the program got privileges by the exec */
#define BPFTRAP_EXEC_ENV_REQUESTED   256u  /* env_len is known: --env was given */
#define BPFTRAP_EXEC_REDACTED        512u  /* user space changed argv: args_len may be any */
#define BPFTRAP_EXEC_ARGS_CUT        1024u /* with REDACTED: argv was incomplete before */
#define BPFTRAP_EXEC_UNWANTED        2048u /* filters reject it: sent for state only */

/* A file of a process: how it is named, and the bytes of that name in `data`. */
struct bpftrap_path {
  __u16 len;
  __u8 kind;
  __u8 deleted; /* 1: the file has no name any more */
};

/* bpftrap_path::kind */
#define BPFTRAP_PATH_NONE    0 /* no such file, not requested, or unreadable */
#define BPFTRAP_PATH_REACHED 1 /* a path from the root directory of the process */
#define BPFTRAP_PATH_OUTSIDE 2 /* outside that root: a path from the top of the mounts */
#define BPFTRAP_PATH_LONG    3 /* too long or too deep: no bytes */
#define BPFTRAP_PATH_PIPE    4 /* the bytes are the number of the inode (u64) */
#define BPFTRAP_PATH_SOCKET  5 /* likewise */
#define BPFTRAP_PATH_ANON    6 /* an anonymous inode: its name */
#define BPFTRAP_PATH_PIDFD   7 /* a pidfd of pidfs: no bytes */

/* bpftrap_exec_event::paths */
#define BPFTRAP_PATH_EXE   0
#define BPFTRAP_PATH_CWD   1
#define BPFTRAP_PATH_STDIN 2 /* then stdout, stderr */
#define BPFTRAP_PATHS      5

/*
 * A program was executed. `data` holds the bytes of `paths` in their order, filename and interp
 * (each with its NUL), and the argv bytes.
 */
struct bpftrap_exec_event {
  struct bpftrap_record_header header;
  struct bpftrap_process process;
  __u64 cap_effective; /* capabilities after the exec, CAP_CHOWN in the lowest bit */
  __u64 args_size;     /* bytes of argv as the kernel laid it out, NULs included */
  __u32 args_len;      /* bytes of it in data */
  __u16 filename_len;  /* with NUL */
  __u16 interp_len;    /* with NUL; 0: no script */
  __u32 flags;
  __s32 error; /* 0, or the errno (positive) of an execve that failed */
  struct bpftrap_path paths[BPFTRAP_PATHS];
  __u16 umask;
  __u16 reserved;
  __u32 env_len; /* bytes of the environment records before this record, or UNREADABLE */
  __u32 exec_id; /* distinguishes the execs of one process; the end has that of the last one */
  __u64 max_rss_pages; /* ru_maxrss before this program; 0: not needed, see process_exit.bpf.h */
  /* char data[] */
};

/*
 * Environment variables, with --env: sent before the exec record of the same process. `data` holds
 * NAME=value strings, each with its NUL. Several such records continue each other.
 */
struct bpftrap_environment_event {
  struct bpftrap_record_header header;
  __u64 start_boot_ns;
  __u32 pid;
  __u32 len;
  /* char data[] */
};

/* Bits of bpftrap_exit_event::flags. */
#define BPFTRAP_EXIT_OOM_VICTIM \
  1u /* signal_struct::oom_mm is set: mm/oom_kill.c mark_oom_victim() */
#define BPFTRAP_EXIT_IO_COUNTED  2u   /* the kernel has CONFIG_TASK_IO_ACCOUNTING */
#define BPFTRAP_EXIT_EXECUTED    8u   /* it executed a program at some time: not PF_FORKNOEXEC */
#define BPFTRAP_EXIT_PEAK_KNOWN  16u  /* peak_rss_pages is filled in */
#define BPFTRAP_EXIT_EXEC_UNSENT 32u  /* an exec of this process may have been lost */
#define BPFTRAP_EXIT_WAIT_KNOWN  64u  /* run_delay_ns is filled in */
#define BPFTRAP_EXIT_HAD_THREADS 128u /* it had several threads, or that is unknown */
#define BPFTRAP_EXIT_CLOCK_KNOWN 256u /* unaccounted_ns is no lower bound, but close */

/* A process ended. Times in ns, unscaled, as the kernel keeps them; counters of all threads. */
struct bpftrap_exit_event {
  struct bpftrap_record_header header;
  struct bpftrap_process process;
  __u32 wait_status; /* encoded as wait4() returns it */
  __u32 flags;
  __u64 utime_ns; /* by clock tick */
  __u64 stime_ns;
  __u64 runtime_ns;     /* by the scheduler's clock */
  __u64 unaccounted_ns; /* of the last thread, since runtime_ns was updated */
  __u64 ending_ns;      /* estimate of what it takes from here on; 0: unknown, or next to nothing */
  __u64 prev_utime_ns;  /* what /proc and getrusage() have shown already */
  __u64 prev_stime_ns;
  __u64 max_rss_pages;
  __u64 run_delay_ns;            /* of all threads, as in bpftrap_account */
  struct bpftrap_account parent; /* of the thread that is its real parent */
  __u64 peak_rss_pages;          /* of the last program alone */
  __u64 io_read_bytes;
  __u64 io_write_bytes;
  __u64 minor_faults;
  __u64 major_faults;
  __u64 voluntary_switches;
  __u64 involuntary_switches;
  struct bpftrap_sender killer;      /* of the signal that ended it */
  struct bpftrap_sender last_sender; /* of last_signal */
  __u64 last_boot_ns;                /* when last_signal was sent */
  __u32 last_signal; /* the last one of HUP, INT, QUIT, ABRT and TERM; 0: none from a process */
  __u32 exec_id;     /* of bpftrap_exec_event, of its last exec */
};

/* Bits of bpftrap_cgroup_event::flags. */
#define BPFTRAP_CGROUP_TRUNCATED 1u /* deeper or longer than names can hold */

/*
 * The path behind a cgroup id; sent before the first record that names the id. An id is the one of
 * the kernfs node, which is unique within a hierarchy, and the number of the hierarchy: 0 is v2.
 */
#define BPFTRAP_CGROUP_HIERARCHY_SHIFT 48

struct bpftrap_cgroup_event {
  struct bpftrap_record_header header;
  __u64 id;
  __u32 names_len;
  __u32 flags;
  /* char names[]: the names from the cgroup up to, not with, the root, each with its NUL */
};

/* Bits of bpftrap_fork_event::flags. */
#define BPFTRAP_FORK_WANTED 1u /* the child passes the filters */

/*
 * A process was forked. Its real parent is not the process that forked it with CLONE_PARENT, as
 * thread libraries and container runtimes use it.
 */
struct bpftrap_fork_event {
  struct bpftrap_record_header header;
  struct bpftrap_process process; /* the child */
  struct bpftrap_account account; /* of the thread that called fork */
  __u64 creator_start_boot_ns;    /* the process of that thread */
  __u32 creator_pid;
  __u32 flags;
};

/* A process ended whose end is not reported, but user space may remember its fork or an exec. */
struct bpftrap_gone_event {
  struct bpftrap_record_header header;
  __u64 start_boot_ns;
  __u32 pid;
  __u32 local_pid; /* in bpftrap's own pid namespace; 0: outside it */
};

/*
 * The last account of a process, sent when nobody needs the process any more: after its parent has
 * waited for it. Times as in bpftrap_exit_event.
 */
struct bpftrap_final_event {
  struct bpftrap_record_header header;
  __u64 start_boot_ns;
  __u32 pid;
  __u32 flags; /* BPFTRAP_EXIT_WAIT_KNOWN */
  __u64 utime_ns;
  __u64 stime_ns;
  __u64 runtime_ns;
  __u64 prev_utime_ns;
  __u64 prev_stime_ns;
  __u64 run_delay_ns;
};

/* A cgroup is released: no record names its id any more. */
struct bpftrap_cgroup_gone_event {
  struct bpftrap_record_header header;
  __u64 id;
};

BPFTRAP_WIRE_STRUCT(bpftrap_process, 128);
BPFTRAP_WIRE_STRUCT(bpftrap_exec_event, 216);
BPFTRAP_WIRE_STRUCT(bpftrap_environment_event, 32);
BPFTRAP_WIRE_STRUCT(bpftrap_account, 32);
BPFTRAP_WIRE_STRUCT(bpftrap_sender, 32);
BPFTRAP_WIRE_STRUCT(bpftrap_exit_event, 392);
BPFTRAP_WIRE_STRUCT(bpftrap_final_event, 80);
BPFTRAP_WIRE_STRUCT(bpftrap_cgroup_event, 32);
BPFTRAP_WIRE_STRUCT(bpftrap_cgroup_gone_event, 24);
BPFTRAP_WIRE_STRUCT(bpftrap_fork_event, 192);
BPFTRAP_WIRE_STRUCT(bpftrap_gone_event, 32);

#ifdef __cplusplus
#include <cstddef>
static_assert(offsetof(bpftrap_exec_event, args_size) == 152);
static_assert(offsetof(bpftrap_exec_event, paths) == 176);
static_assert(offsetof(bpftrap_exit_event, wait_status) == 144);
static_assert(offsetof(bpftrap_exit_event, killer) == 312);
#endif

#endif
