// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>

#include "core/error.h"

namespace bpftrap {

void size_key_map(bpf_map* map, const std::vector<std::uint32_t>& keys) {
  bpf_map__set_max_entries(map, static_cast<std::uint32_t>(std::max<std::size_t>(keys.size(), 1)));
}

void fill_key_map(const bpf_map* map, const std::vector<std::uint32_t>& keys) {
  for (std::uint32_t key : keys) {
    std::uint8_t one = 1;
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY); err != 0) {
      throw Error(std::string("cannot fill the map ") + bpf_map__name(map), -err);
    }
  }
}

bool kernel_has_bpf_loop() {
  // libbpf cannot ask for tracing programs; the helper came to all types at once.
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, nullptr) == 1;
}

}  // namespace bpftrap
