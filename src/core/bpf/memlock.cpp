// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/memlock.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/resource.h>

namespace bpftrap {

bool charges_memlock() {
  // This helper and the new accounting came with the same release. libbpf probes it for the same
  // purpose (libbpf.c, probe_memcg_account).
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns,
                                 nullptr) != 1;
}

void raise_memlock_limit() {
  if (charges_memlock()) {
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  }
}

}  // namespace bpftrap
