// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The minimum cost of a tracer of execs and exits: programs on the same two raw tracepoints. They
 * do nothing, or only pass 200 bytes to user space.
 */
/* Keep this order: the second header needs types of the first. */
/* clang-format off */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
/* clang-format on */

/* BPF_RB_NO_WAKEUP, or 0: wake the reader if it had consumed everything before. */
const volatile __u64 submit_flags = 0;

/* The loader sets the default of --buffer-size. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} records SEC(".maps");

static int submit(void) {
  __u64* record = bpf_ringbuf_reserve(&records, 200, 0);

  if (record) {
    record[0] = bpf_ktime_get_boot_ns();
    bpf_ringbuf_submit(record, submit_flags);
  }
  return 0;
}

SEC("?raw_tp/sched_process_exec")
int empty_exec(void* ctx) {
  return 0;
}

SEC("?raw_tp/sched_process_exit")
int empty_exit(void* ctx) {
  return 0;
}

SEC("?raw_tp/sched_process_exec")
int submit_exec(void* ctx) {
  return submit();
}

SEC("?raw_tp/sched_process_exit")
int submit_exit(void* ctx) {
  return submit();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
