// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/kernel_features.h"

#include <bpf/libbpf.h>

#include "core/os/kernel_version.h"

namespace bpftrap {

bool kernel_has_bpf_loop() {
  // libbpf cannot ask for tracing programs. The helper came to all types at once.
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, nullptr) == 1;
}

bool kernel_has_task_storage() {
  // The map came with 5.11, for programs of another type. BTF does not tell the two releases
  // apart, so the version has to.
  return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, nullptr) == 1 &&
         kernel_is_at_least(5, 12);
}

}  // namespace bpftrap
