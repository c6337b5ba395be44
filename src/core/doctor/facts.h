// SPDX-License-Identifier: GPL-2.0-only
// What was found out about this kernel and these privileges, by trying where that is possible. What
// it means is said in core/doctor/diagnosis.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/capability.h"
#include "core/os/kernel_version.h"

namespace bpftrap {

// Something that was tried.
struct Trial {
  int err = 0;              // errno; 0: it worked
  std::string detail = {};  // more of the reason, may be empty
  bool worked() const { return err == 0; }
};

// The defaults are those of a machine where all is well, so that tests need say only what is not.
struct Facts {
  // Privileges
  std::uint32_t euid = 0;
  CapabilitySet effective = ~CapabilitySet{0};
  CapabilitySet bounding = ~CapabilitySet{0};  // those that may be had
  bool user_namespace = false;                 // not the initial one: capabilities count within it
  bool pid_namespace = false;                  // not the initial one
  bool no_new_privs = false;
  bool seccomp = false;    // a filter is in place
  std::string executable;  // path of bpftrap; empty: unknown

  // Kernel
  std::string release;  // as uname -r
  KernelVersion version;
  Trial bpf;          // creating an array map
  Trial ring_buffer;  // creating one
  bool task_storage = true;
  std::optional<bool> jit;  // whether a program that was loaded was compiled; or as sysctl has it
  std::string lockdown;     // none, integrity or confidentiality; empty: unknown
  std::optional<int> unprivileged_bpf_disabled;
  bool memlock_charged = false;                    // BPF memory counts for RLIMIT_MEMLOCK
  std::uint64_t memlock_limit = 0;                 // bytes
  bool sysfs = true;                               // mounted on /sys
  std::optional<std::uint64_t> btf_bytes;          // size of the kernel's BTF; none: not to be read
  std::vector<std::string_view> no_tracepoints{};  // that exec and exit hook, but BTF lacks
  bool group_dead = true;
  bool cgroup2 = true;  // mounted, and this process is in it

  // What was loaded and attached for a moment; none: not tried
  std::optional<Trial> exec;
  std::optional<Trial> failed_exec;
  std::optional<Trial> exit;
  std::optional<Trial> tracefs;

  bool holds(Capability capability) const {
    return !user_namespace && contains(effective, capability);
  }
  bool may_hold(Capability capability) const { return contains(bounding, capability); }
  bool holds_bpf_capabilities() const {
    return holds(Capability::sys_admin) || (holds(Capability::bpf) && holds(Capability::perfmon));
  }
  bool at_least(int major, int minor) const { return version.at_least(major, minor); }
};

// Everything but what has to be loaded and mounted; takes some 20 ms. Never fails: what cannot be
// read stays unknown. Raises RLIMIT_MEMLOCK, as loading does.
Facts gather_facts();

// Of texts as the kernel writes them; for tests.
std::string parse_lockdown(std::string_view text);  // `none [integrity] confidentiality`
void parse_status(std::string_view proc_status, Facts& facts);  // NoNewPrivs, Seccomp
void parse_release(std::string_view release, Facts& facts);

}  // namespace bpftrap
