/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Environment variables of a program that was executed, if --env asks for any: those whose names
 * match. They are records of their own, sent before the exec record, so that other variables never
 * leave the kernel and the exec record stays small.
 *
 * Functions that are not static are verified once: path.bpf.h.
 */
#ifndef BPFTRAP_ENVIRONMENT_BPF_H
#define BPFTRAP_ENVIRONMENT_BPF_H

#include "process.event.h"
#include "process_cfg.bpf.h"
#include "stream.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define ENV_CHUNK          8192 /* bytes: more than that are sent at once */
#define ENV_NAME_MOST      256  /* bytes of a name that are compared */
#define ENV_VARIABLES_MOST 4096 /* variables that are compared */
#define ENV_BATCH          64   /* reads before the next question if there is enough to send */
/* A long string takes several reads, and a batch ends early if there is enough to send. */
#define ENV_BATCHES 96

struct environment {
  __u64 next; /* user addresses: the next variable, and the end of all */
  __u64 end;
  __u64 now;
  __u64 start_boot_ns; /* of the process */
  __u32 pid;
  __u32 at;         /* bytes in `text` */
  __u32 sent;       /* bytes before these */
  __u32 inside;     /* 1: `next` is inside a string that was cut */
  __u32 variables;  /* that were looked at */
  __u32 unreadable; /* 1: a page could not be read */
  __u32 reserved;
  char text[ENV_CHUNK + BPFTRAP_ENV_STRING_SIZE];
};

/* One entry for each copy of on_exec. Created with --env only. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct environment);
} environments SEC(".maps");

/* Match the name in front of `=` with cfg.variables, as globs_match() in scope.bpf.h does. */
static __always_inline _Bool variable_matches(const char *text)
{
  __u64 at = cfg.variables.starts;

  at |= (at & cfg.variables.stars) << 1;
  for (int i = 0; i < ENV_NAME_MOST; i++) {
    __u8 c = text[i];

    if (!c || c == '=')
      break;
    /* After a star at the end of a glob, any name matches */
    if (at & cfg.variables.stars & (cfg.variables.accepts >> 1))
      return 1;
    at = ((at & cfg.variables.masks[c]) << 1) | (at & cfg.variables.stars);
    at |= (at & cfg.variables.stars) << 1;
  }
  return (at & cfg.variables.accepts) != 0;
}

/* Read the next variable. Return 1 at the end of all. */
__noinline int next_variable(__u32 which)
{
  struct environment *env;
  long copied;
  __u32 at;

  if (!cfg.env)
    return 1;
  env = bpf_map_lookup_elem(&environments, &which);
  if (!env || env->next >= env->end)
    return 1;
  at = env->at;
  if (at > ENV_CHUNK)
    return 1;
  if (!env->inside && ++env->variables > ENV_VARIABLES_MOST) {
    env->next = env->end;
    return 1;
  }
  copied = bpf_probe_read_user_str(env->text + at, BPFTRAP_ENV_STRING_SIZE, (void *)env->next);
  if (copied < 0) {
    env->unreadable = 1;
    env->next = env->end;
    return 1;
  }
  /* Older kernels return 0 for an empty string, though they copy its NUL */
  if (!copied)
    copied = 1;
  if (!env->inside && variable_matches(env->text + at)) {
    /* The variables before this one are the last */
    if (env->sent + at + copied > BPFTRAP_ENV_SIZE) {
      env->next = env->end;
      return 1;
    }
    env->at = at + copied;
  }
  env->inside = copied == BPFTRAP_ENV_STRING_SIZE;
  env->next += copied - env->inside;
  return 0;
}

static __always_inline _Bool submit_variables(struct environment *env, const __u32 room)
{
  struct bpftrap_environment_event *event;
  __u64 len = env->at;

  if (len > room)
    return 0;
  /* Leave half of the buffer to the records themselves: without its variables, one has none */
  if (is_fuller_than(1)) {
    count_lost(BPFTRAP_RECORD_ENVIRONMENT);
    return 1;
  }
  event = reserve_record(BPFTRAP_RECORD_ENVIRONMENT, sizeof(*event) + room);
  if (!event)
    return 1;
  fill_header(event, BPFTRAP_RECORD_ENVIRONMENT, sizeof(*event) + len, env->now);
  event->start_boot_ns = env->start_boot_ns;
  event->pid = env->pid;
  event->len = len;
  bpf_probe_read_kernel(event + 1, len, env->text);
  bpf_ringbuf_submit(event, 0);
  return 1;
}

/* Read some variables, and send those that match if they are many or the last. Return 1 then. */
__noinline int send_variables(__u32 which)
{
  struct environment *env;
  _Bool last;

  if (!cfg.env)
    return 1;
  env = bpf_map_lookup_elem(&environments, &which);
  if (!env)
    return 1;
  for (int i = 0; i < ENV_BATCH; i++)
    if (next_variable(which))
      break;
  last = env->next >= env->end;
  if (env->at > ENV_CHUNK || (last && env->at)) {
    if (!submit_variables(env, 256) && !submit_variables(env, 2048))
      submit_variables(env, ENV_CHUNK + BPFTRAP_ENV_STRING_SIZE);
    env->sent += env->at;
    env->at = 0;
  }
  return last;
}

/*
 * Send the variables between two user addresses that match. Return the number of their bytes: more
 * than arrive if a record is lost.
 */
static __always_inline __u32 send_environment(__u32 which, __u64 begin, __u64 end,
                                              const struct bpftrap_process *process, __u64 now)
{
  struct environment *env = bpf_map_lookup_elem(&environments, &which);

  if (!env)
    return 0;
  env->next = begin;
  env->end = end;
  env->now = now;
  env->start_boot_ns = process->start_boot_ns;
  env->pid = process->pid;
  env->at = 0;
  env->sent = 0;
  env->inside = 0;
  env->variables = 0;
  env->unreadable = 0;
  for (int i = 0; i < ENV_BATCHES; i++)
    if (send_variables(which))
      break;
  return env->unreadable ? BPFTRAP_ENV_UNREADABLE : env->sent;
}

#endif
