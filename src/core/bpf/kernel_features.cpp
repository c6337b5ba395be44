// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/kernel_features.h"

#include <bpf/libbpf.h>

#include "core/os/kernel_version.h"

namespace bpftrap {

bool kernel_has_bpf_loop() {
  // Probe with this type because libbpf cannot probe tracing programs. The helper came for all
  // program types at once.
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, nullptr) == 1;
}

bool kernel_has_task_storage() {
  // 5.11 has this map type too, but only for LSM programs. BTF does not tell the two releases
  // apart, so check the version.
  return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, nullptr) == 1 &&
         kernel_is_at_least(5, 12);
}

}  // namespace bpftrap
