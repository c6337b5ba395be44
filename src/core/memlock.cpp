// SPDX-License-Identifier: GPL-2.0-only
#include "core/memlock.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/resource.h>

#include <cerrno>

namespace bpftrap {

int raise_memlock_limit() {
  // The helper came with the same release as the new accounting and is what libbpf itself asks for
  // (libbpf.c, probe_memcg_account). Being refused the question says nothing, so then it is raised.
  if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns, nullptr) ==
      1) {
    return 0;
  }
  rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  return ::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0 ? 0 : errno;
}

}  // namespace bpftrap
