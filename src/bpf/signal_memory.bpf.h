/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory of signals: what was sent to a process, and what of it may still be in its queues. The
 * kernel has one queue for each thread, and one that all threads of a process share.
 *
 * Loops over notes have no branches, because the verifier follows each combination of them.
 */
#ifndef BPFTRAP_SIGNAL_MEMORY_BPF_H
#define BPFTRAP_SIGNAL_MEMORY_BPF_H

#include "compat.bpf.h"
#include "kernel_types.bpf.h"
#include "process.event.h"
#include "process_cfg.bpf.h"
#include "read.bpf.h"
#include "verifier.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define SIGRTMIN 32 /* include/uapi/asm-generic/signal.h: the kernel queues several of these */

#define SIGNAL_BIT(n) (1ULL << (((n)-1) & 63))

/* A signal that was added to a queue. */
struct note {
  __u64 origin; /* digest of its siginfo */
  __u32 number; /* counts up in each struct signals */
  __u16 signal;
  __u16 shared;                 /* 1: in the queue of the process, 0: in that of the thread */
  struct bpftrap_sender sender; /* pid 0: the kernel, or the process itself */
};

#define NOTES_MOST 8

/* Facts about a process. */
struct signal_facts {
  __u64 magic; /* cfg.signals_magic */
  __u64 last_boot_ns;
  __u64 killer_boot_ns;
  struct bpftrap_sender last_sender; /* of last_signal, at last_boot_ns */
  struct bpftrap_sender killer;      /* of killer_signal, at killer_boot_ns; pid as in a note */
  __u32 last_signal;                 /* 0: none yet */
  __u32 killer_signal;               /* the process ends by this one; 0: none yet */
};

/*
 * Signals of a thread. The thread-group leader has those of the process, too, but those that were
 * sent by the id of another thread are in its entry of known_signals.
 */
struct signals {
  struct signal_facts facts;
  __u32 numbered;
  __u32 used; /* bit i: notes[i] is in use */
  struct note notes[NOTES_MOST];
};

const char no_signals[sizeof(struct signals)] = {}; /* zeros do not fit on the stack */

/* Freed with the task, so nobody can displace it. Since 5.12 (a10787e6d58c); else not created. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct signals);
} task_signals SEC(".maps");

/*
 * By process or thread; the entry is removed when that ends. Without task storage all signals are
 * here. With it, the loader makes this a plain hash. It holds what must outlive a leader, and what
 * a program learned that has no access to the leader: signals that were sent by the id of another
 * thread, or delivered to one.
 */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct bpftrap_process_key);
  __type(value, struct signals);
} known_signals SEC(".maps");

/* Not 0: known_signals was used. While it is 0, lookups are not needed. */
__u64 signals_known;

static __always_inline struct bpftrap_process_key signals_key(struct task_struct *thread)
{
  struct bpftrap_process_key key = {
      .start_boot_ns = task_start_boot_ns(thread),
      .pid = BPF_CORE_READ(thread, pid),
  };

  return key;
}

static __always_inline struct signals *find_known(struct task_struct *thread)
{
  struct bpftrap_process_key key;

  if (!signals_known)
    return 0;
  key = signals_key(thread);
  return bpf_map_lookup_elem(&known_signals, &key);
}

static __always_inline struct signals *make_known(struct task_struct *thread)
{
  struct bpftrap_process_key key = signals_key(thread);

  signals_known = 1;
  bpf_map_update_elem(&known_signals, &key, no_signals, BPF_NOEXIST);
  return bpf_map_lookup_elem(&known_signals, &key);
}

static __always_inline void forget_known(struct task_struct *thread)
{
  struct bpftrap_process_key key;

  if (!signals_known)
    return;
  key = signals_key(thread);
  bpf_map_delete_elem(&known_signals, &key);
}

/*
 * Signals of a task that the verifier knows as such: current, or an argument of the hook. Return 0
 * if there are none, or if `create` finds no room. The kernel refuses to create task storage while
 * it is busy with another one on this CPU, or if memory is short; known_signals helps out.
 */
static __always_inline struct signals *signals_of(struct task_struct *thread, _Bool create)
{
  struct signals *signals;

  if (cfg.signal_storage) {
    signals =
        bpf_task_storage_get(&task_signals, thread, 0, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
    if (signals) {
      signals->facts.magic = cfg.signals_magic;
      return signals;
    }
  }
  return create ? make_known(thread) : find_known(thread);
}

/* Signals of the process that `task` belongs to; the verifier has to know `task`. */
static __always_inline struct signals *process_signals(struct task_struct *task,
                                                       struct task_struct *leader, _Bool is_leader,
                                                       _Bool create)
{
  if (cfg.signal_storage && is_leader)
    return signals_of(task, create);
  return create ? make_known(leader) : find_known(leader);
}

#define STORAGES_MOST 8 /* maps with task storage, of all BPF programs on the machine */

/*
 * Address of the task storage of any task, for reading only; 0: none. bpf_task_storage_get() wants
 * a pointer that the verifier knows. To load one costs the verifier 2 ms, because since 6.2 it
 * searches all of the kernel's BTF several times. kernel/bpf/bpf_local_storage.c has the list.
 */
static __always_inline const void *peek_storage(struct task_struct *thread)
{
  const __u32 to_data = bpf_core_field_offset(struct bpf_local_storage_elem, sdata) +
                        bpf_core_field_offset(struct bpf_local_storage_data, data) -
                        bpf_core_field_offset(struct bpf_local_storage_elem, snode);
  struct bpf_local_storage *storage = BPF_CORE_READ(thread, bpf_storage);
  struct hlist_node *node;
  __u64 magic;

  if (!storage)
    return 0;
  node = BPF_CORE_READ(storage, list.first);
  for (int i = 0; i < STORAGES_MOST && node; i++) {
    magic = 0;
    READ_BYTES(&magic, sizeof(magic), (void *)node + to_data);
    if (magic == cfg.signals_magic)
      return (void *)node + to_data;
    node = BPF_CORE_READ(node, next);
  }
  return 0;
}

/*
 * Return 1 if the task storage of a thread has notes. Functions that are not static are verified
 * once: path.bpf.h.
 */
__noinline int has_notes(__u64 thread)
{
  const void *signals = cfg.signal_storage ? peek_storage((struct task_struct *)thread) : 0;
  __u32 used = 0;

  if (signals)
    bpf_probe_read_kernel(&used, sizeof(used), signals + __builtin_offsetof(struct signals, used));
  return used != 0;
}

/*
 * A search for signals of a thread, and for the sender of a signal that has left its queue: notes
 * with the same siginfo. There are several if such signals are pending still, or left their queues
 * without a trace. Its memory is not on the stack, so that functions on it are verified once.
 */
struct search {
  struct task_struct *thread;
  __u64 signals; /* address of those of `thread`, for reading only; 0: none */
  __u64 origin;
  __u64 who; /* of one of the notes: see identity_of() */
  __u32 sig;
  __u32 found;    /* number of notes */
  __u32 differ;   /* 1: they have different senders */
  __u32 is_mixed; /* 1: notes of the process are in two places, so their order is unknown */
  __u32 shared;   /* of the note that `sender` is from */
  __u32 padding;
  struct bpftrap_sender sender; /* of the signal that the kernel takes first */
};

#define SEARCH_OF_EXIT     0 /* and 1 of its second copy */
#define SEARCH_OF_DELIVERY 2
#define SEARCHES           3

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, SEARCHES);
  __type(key, __u32);
  __type(value, struct search);
} searches SEC(".maps");

static __always_inline struct search *get_search(__u32 which)
{
  return bpf_map_lookup_elem(&searches, &which);
}

/* Find the signals of a thread in its task storage, else those in known_signals. */
__noinline int find_signals(__u32 which, __u32 in_storage)
{
  struct search *search = get_search(which);
  struct task_struct *thread;

  if (!search)
    return 0;
  thread = search->thread;
  /* As numbers: the verifier would distinguish them */
  if (!in_storage)
    search->signals = (__u64)find_known(thread);
  else if (cfg.signal_storage)
    search->signals = (__u64)peek_storage(thread);
  else
    search->signals = 0;
  return 0;
}

/* A queue that a signal was added to; siglock is held. */
struct arrival {
  struct task_struct *thread; /* whose struct signals holds the note */
  struct signal_struct *signal;
  struct sigpending *queue;
  __u64 signals; /* address of that struct signals */
  __u64 sig;
  __u64 shared; /* 1: in the queue of the process, 0: in that of the thread */
};

/* Memory of on_signal, so that functions on it are verified once. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct arrival);
} arrivals SEC(".maps");

static __always_inline struct sigqueue *sigqueue_of(struct list_head *node)
{
  return (void *)node - bpf_core_field_offset(struct sigqueue, list);
}

#define QUEUE_STEPS 8 /* of is_only_one() */

/*
 * Return 1 if the last signal in the queue is the only one with its number. `queue` is the address
 * of a struct sigpending.
 */
__noinline int is_only_one(__u64 queue, __u32 sig)
{
  struct list_head *head = (void *)queue + bpf_core_field_offset(struct sigpending, list);
  struct list_head *node = BPF_CORE_READ(head, prev);

  for (int i = 0; i < QUEUE_STEPS; i++) {
    node = BPF_CORE_READ(node, prev);
    if (node == head)
      return 1;
    if ((__u32)BPF_CORE_READ(sigqueue_of(node), info.si_signo) == sig)
      break;
  }
  return 0;
}

/*
 * Return those of the notes in use whose signals are still in the queues. Others were delivered, or
 * sigwait(), signalfd or a tracer took them. A queue has only one signal of a number below
 * SIGRTMIN, so the one that has arrived replaces any earlier one.
 */
__noinline int valid_notes(__u32 used)
{
  __u32 zero = 0;
  struct arrival *arrival = bpf_map_lookup_elem(&arrivals, &zero);
  struct signal_struct *signal;
  struct task_struct *thread;
  struct note note;
  const void *notes;
  __u64 own, shared, replaces;

  if (!arrival)
    return used;
  thread = arrival->thread;
  signal = arrival->signal;
  notes = (const void *)arrival->signals + __builtin_offsetof(struct signals, notes);
  own = BPF_CORE_READ(thread, pending.signal.sig[0]);
  shared = BPF_CORE_READ(signal, shared_pending.signal.sig[0]);
  replaces = arrival->sig < SIGRTMIN || is_only_one((__u64)arrival->queue, (__u32)arrival->sig);
  OPAQUE(replaces);
  for (__u32 i = 0; i < NOTES_MOST; i++) {
    __u64 pending, other, keep;

    bpf_probe_read_kernel(&note, __builtin_offsetof(struct note, sender), notes + i * sizeof(note));
    pending = select(note.shared, shared, own);
    other = is_set((note.signal ^ arrival->sig) | (note.shared ^ arrival->shared));
    keep = pending >> ((note.signal - 1) & 63) & (other | (replaces ^ 1)) & 1;
    used &= ~((__u32)(keep ^ 1) << i);
  }
  return used;
}

/* A note that is not in use, or 0. */
static __always_inline struct note *take_note(struct signals *signals)
{
  __u32 unused = ~signals->used & ((1U << NOTES_MOST) - 1);
  __u32 first = unused & -unused;
  __u64 index = is_set(first & 0xf0) << 2 | is_set(first & 0xcc) << 1 | is_set(first & 0xaa);

  if (!unused)
    return 0;
  signals->used |= first;
  OPAQUE(index); /* the verifier of 5.10 has to see the next line, which the compiler would drop */
  index &= NOTES_MOST - 1;
  signals->notes[index].number = ++signals->numbered;
  return &signals->notes[index];
}

/* Differs for two senders, and for the kernel. */
static __always_inline __u64 identity_of(const struct bpftrap_sender *sender)
{
  return sender->start_boot_ns * is_set(sender->pid) ^ (__u64)sender->pid << 32;
}

/*
 * Look for notes about such a signal in those that find_signals() has found. The kernel takes
 * signals of the thread first, then the earliest. Places are searched in this order, too.
 */
__noinline int search_notes(__u32 which, __u32 only_shared)
{
  const __u32 to_notes = __builtin_offsetof(struct signals, notes);
  struct search *search = get_search(which);
  __u64 first = ~0ULL >> 1, count = 0;
  const void *signals;
  struct note note;
  __u32 used = 0;

  if (!search || !search->signals)
    return 0;
  signals = (const void *)search->signals;
  bpf_probe_read_kernel(&used, sizeof(used), signals + __builtin_offsetof(struct signals, used));
  if (!used)
    return 0;
  for (__u32 i = 0; i < NOTES_MOST; i++) {
    __u64 differs, candidate, who;

    bpf_probe_read_kernel(&note, sizeof(note), signals + to_notes + i * sizeof(note));
    differs = is_set((note.origin ^ search->origin) | (note.signal ^ search->sig) |
                     (~note.shared & only_shared) | ((used >> i & 1) ^ 1));
    candidate = differs << 62 | (__u64)note.shared << 48 | (__u64)note.number << 8 | i;
    first = select((candidate - first) >> 63, candidate, first);
    who = identity_of(&note.sender);
    search->who = select(is_set(search->found + count), search->who, select(differs, 0, who));
    search->differ |= is_set(who ^ search->who) & (differs ^ 1);
    count += differs ^ 1;
  }
  if (!count)
    return 0;
  first &= NOTES_MOST - 1;
  bpf_probe_read_kernel(&note, sizeof(note), signals + to_notes + first * sizeof(note));
  if (!search->found) {
    search->sender = note.sender;
    search->shared = note.shared;
  } else {
    search->is_mixed = search->shared;
  }
  search->found += count;
  return 0;
}

#endif
