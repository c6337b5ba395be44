// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/os/error.h"

namespace bpftrap {

void fill_pid_map(const bpf_map* map, const std::vector<ListedProcess>& processes) {
  for (const ListedProcess& process : processes) {
    bpftrap_known_process key{process.start_ticks, process.pid, 0};
    std::uint8_t one = 1;
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY); err != 0) {
      throw Error("cannot set --pid", -err);
    }
  }
}

void fill_cgroup_map(const bpf_map* map, const std::vector<UniqueFd>& cgroups) {
  for (std::uint32_t i = 0; i < cgroups.size(); ++i) {
    int fd = cgroups[i].get();
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &i, &fd, BPF_ANY); err != 0) {
      throw Error("cannot set --cgroup", -err);
    }
  }
}

}  // namespace bpftrap
