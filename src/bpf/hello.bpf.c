// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `bpftrap hello`: the smallest program that says something, in two ways. No BTF tracepoint and no
 * CO-RE, so that it tells whether BPF works where exec and exit do not.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "hello.event.h"

const volatile struct bpftrap_hello_cfg cfg = {};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 * 1024);
} records SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct bpftrap_lost);
} lost SEC(".maps");

/*
 * Hook: entry of write(2), current is the writer. Blind to writev(), pwrite() and io_uring, which
 * is how bpftrap prints without hearing itself.
 */
SEC("tp/syscalls/sys_enter_write")
int on_write(void *ctx __attribute__((unused)))
{
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  struct bpftrap_hello_event *event;
  __u32 zero = 0;

  if (pid != cfg.pid)
    return 0;
  if (cfg.print)
    bpf_printk("BPF triggered from PID %d.", pid);
  event = bpf_ringbuf_reserve(&records, sizeof(*event), 0);
  if (!event) {
    struct bpftrap_lost *mine = bpf_map_lookup_elem(&lost, &zero);

    if (mine)
      __sync_fetch_and_add(&mine->records[BPFTRAP_RECORD_HELLO], 1);
    return 0;
  }
  event->header.size = sizeof(*event);
  event->header.version = BPFTRAP_WIRE_VERSION;
  event->header.kind = BPFTRAP_RECORD_HELLO;
  event->header.boot_ns = bpf_ktime_get_boot_ns();
  event->pid = pid;
  event->reserved = 0;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_ringbuf_submit(event, 0);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
