// SPDX-License-Identifier: GPL-2.0-only
// Facts about this kernel and these privileges, found by trial if possible. core/doctor/diagnosis.h
// interprets them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/recorder.h"
#include "core/os/capability.h"
#include "core/os/kernel_version.h"

namespace bpftrap {

// Result of a trial.
struct Trial {
  int err = 0;              // errno; 0 if it worked
  std::string detail = {};  // further reason; may be empty
  bool worked() const { return err == 0; }
};

// The defaults describe a machine without problems, so tests set only the differences.
struct Facts {
  // Privileges
  std::uint32_t euid = 0;
  CapabilitySet effective = ~CapabilitySet{0};
  CapabilitySet bounding = ~CapabilitySet{0};  // bounding set
  bool user_namespace = false;  // not the initial one: capabilities are valid only within it
  bool pid_namespace = false;   // not the initial one
  bool no_new_privs = false;
  bool seccomp = false;    // a filter is installed
  std::string executable;  // path of bpftrap; empty if unknown

  // Kernel
  std::string release;  // as uname -r
  KernelVersion version;
  Trial bpf;          // creation of an array map
  Trial ring_buffer;  // creation of a ring buffer
  bool task_storage = true;
  std::optional<bool> jit;  // true if a loaded program was compiled; else from the sysctl
  std::string lockdown;     // none, integrity or confidentiality; empty if unknown
  std::optional<int> unprivileged_bpf_disabled;
  bool memlock_charged = false;                    // BPF memory is charged to RLIMIT_MEMLOCK
  std::uint64_t memlock_limit = 0;                 // bytes
  bool proc = true;                                // procfs is mounted on /proc
  std::uint64_t open_files_limit = 1024;           // RLIMIT_NOFILE
  bool sysfs = true;                               // mounted on /sys
  std::optional<std::uint64_t> btf_bytes;          // size of the kernel's BTF; none if unreadable
  std::vector<std::string_view> no_tracepoints{};  // needed by exec and exit, but not in BTF
  bool group_dead = true;
  bool cgroup2 = true;  // mounted, and this process is in it

  // Programs that were loaded and attached briefly; none if not tried.
  std::optional<Trial> exec;
  std::optional<Trial> failed_exec;
  std::optional<Trial> exit;
  std::optional<Trial> tracefs;
  // Translating process ids; none: not needed, or not tried.
  std::optional<Trial> pid_translation;

  // The installed recorder; none: there is none, or it was not looked for.
  std::optional<RecorderFacts> recorder;

  bool holds(Capability capability) const {
    return !user_namespace && contains(effective, capability);
  }
  bool may_hold(Capability capability) const { return contains(bounding, capability); }
  bool holds_bpf_capabilities() const {
    return holds(Capability::sys_admin) || (holds(Capability::bpf) && holds(Capability::perfmon));
  }
  bool at_least(int major, int minor) const { return version.at_least(major, minor); }
};

// Gathers all facts except those that need a load or a mount. Takes about 20 ms. Never fails:
// unreadable facts stay unknown. Raises RLIMIT_MEMLOCK, as loading does.
Facts gather_facts();

// Parsers for the kernel's text files, declared for tests.
std::string parse_lockdown(std::string_view text);  // `none [integrity] confidentiality`
void parse_status(std::string_view proc_status, Facts& facts);  // NoNewPrivs, Seccomp
void parse_release(std::string_view release, Facts& facts);

}  // namespace bpftrap
