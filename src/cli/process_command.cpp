// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/error.h"

namespace bpftrap {

void fill_pids(int map_fd, const std::vector<std::uint32_t>& pids) {
  for (std::uint32_t pid : pids) {
    std::uint8_t one = 1;
    if (int err = bpf_map_update_elem(map_fd, &pid, &one, BPF_ANY); err != 0) {
      throw Error("cannot set --pid", -err);
    }
  }
}

bool kernel_has_bpf_loop() {
  // libbpf cannot ask for tracing programs; the helper came to all types at once.
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, nullptr) == 1;
}

}  // namespace bpftrap
