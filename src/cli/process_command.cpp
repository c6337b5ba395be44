// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/os/error.h"

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

void fill_cgroup_map(const bpf_map* map, const std::vector<UniqueFd>& cgroups) {
  for (std::uint32_t i = 0; i < cgroups.size(); ++i) {
    int fd = cgroups[i].get();
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &i, &fd, BPF_ANY); err != 0) {
      throw Error("cannot set --cgroup", -err);
    }
  }
}

void require_processes(const std::vector<std::uint32_t>& pids) {
  for (std::uint32_t pid : pids) {
    if (::access(("/proc/" + std::to_string(pid)).c_str(), F_OK) != 0) {
      throw Error("no process " + std::to_string(pid) + " (--tree)", 0,
                  "run `ps -e` to list processes");
    }
  }
}

}  // namespace bpftrap
