// SPDX-License-Identifier: GPL-2.0-only
// Takes systemd unit and container from the path of a cgroup. Pure functions: the names follow
// conventions of service managers and container runtimes, not of the kernel.
#pragma once

#include <optional>
#include <string_view>

namespace bpftrap {

// Returns the innermost systemd unit that can hold processes: a service, a scope, and the unit of a
// control process (socket, mount, swap). Slices are none, as for systemd itself. The result points
// into `path`.
std::optional<std::string_view> unit_of_cgroup(std::string_view path);

// Returns the innermost container id, 64 hex digits. docker, containerd, cri-o, podman and kubelet
// put it at the end of a name: `<id>`, `docker-<id>.scope`, `cri-containerd:<id>`. The cgroup of
// conmon, which supervises a container from outside, does not count. The result points into `path`.
std::optional<std::string_view> container_of_cgroup(std::string_view path);

}  // namespace bpftrap
