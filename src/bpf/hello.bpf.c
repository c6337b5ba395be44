// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `bpftrap hello`: the smallest program that reports something, through the ring buffer or the
 * trace pipe. It uses no BTF tracepoint and no CO-RE, and so works where exec and exit do not.
 */
#include "hello.event.h"
#include "stream.bpf.h"

const volatile struct bpftrap_hello_cfg cfg = {};
struct bpftrap_hello_process process;
__u32 own_pid; /* bpftrap's own pid in the initial namespace: see note_own_pid() */

/*
 * Hook: entry of write(2), current is the writer. The hook does not see writev(), pwrite() and
 * io_uring. bpftrap prints by writev(), and so does not trace its own output.
 */
SEC("tp/syscalls/sys_enter_write")
int on_write(void *ctx __attribute__((unused)))
{
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  struct bpftrap_hello_event *event;

  /* Ignore every process but one */
  if (pid != process.pid)
    return 0;

  /* Print the sentence to the trace pipe */
  if (cfg.print)
    bpf_printk("BPF triggered from PID %d.", process.local_pid);

  /* Send the record to user space */
  event = reserve_record(BPFTRAP_RECORD_HELLO, sizeof(*event));
  if (!event)
    return 0;
  fill_header(event, BPFTRAP_RECORD_HELLO, sizeof(*event), bpf_ktime_get_boot_ns());
  event->pid = pid;
  event->reserved = 0;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/*
 * Never attached. Inside a pid namespace bpftrap does not know its pid in the initial one, so it
 * runs this program by BPF_PROG_TEST_RUN, which makes bpftrap current.
 */
SEC("?raw_tp/sys_enter")
int note_own_pid(void *ctx __attribute__((unused)))
{
  own_pid = bpf_get_current_pid_tgid() >> 32;
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
