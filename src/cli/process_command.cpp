// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>

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

}  // namespace bpftrap
