// SPDX-License-Identifier: GPL-2.0-only
// Which capabilities this process has in effect.
#pragma once

namespace bpftrap {

// Numbers as in include/uapi/linux/capability.h.
enum class Capability { sys_admin = 21, sys_resource = 24, perfmon = 38, bpf = 39 };

// By capget(); false where the kernel does not answer.
bool has_capability(Capability capability);

// What loading and attaching tracing programs takes: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN.
bool has_bpf_capabilities();

}  // namespace bpftrap
