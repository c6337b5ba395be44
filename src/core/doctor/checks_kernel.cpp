// SPDX-License-Identifier: GPL-2.0-only
// Checks of kernel features.
#include <cerrno>

#include "core/doctor/checks.h"
#include "core/text/text.h"

namespace bpftrap::detail {

namespace {

// Minimum memory for maps and programs of exec and exit. They take little more than 8 MiB.
constexpr std::uint64_t memlock_least = std::uint64_t{16} << 20;

Check check_version(const Facts& facts) {
  constexpr const char* name = "kernel";
  if (facts.at_least(5, 10)) {
    return ok(name, concat({"Linux ", facts.release, "; exec and exit support 5.10 and later"}));
  }
  return degraded(
      name,
      concat({"Linux ", facts.release,
              ": exec and exit support 5.10 and later, and are untested on this version"}),
      "run a kernel of 5.10 or later");
}

Check check_bpf(const Facts& facts) {
  constexpr const char* name = "bpf()";
  if (facts.bpf.worked()) {
    return ok(name, "works and creates maps");
  }
  std::string said = message_of(facts.bpf.err);
  if (facts.bpf.err == ENOSYS) {
    return missing(name,
                   facts.seccomp ? "no such system call: a seccomp filter hides it, or the kernel "
                                   "is built without it"
                                 : "no such system call: the kernel is built without it",
                   facts.seccomp ? "start the container with --security-opt seccomp=unconfined, "
                                   "on a kernel built with CONFIG_BPF_SYSCALL=y"
                                 : "run a kernel built with CONFIG_BPF_SYSCALL=y");
  }
  if (!facts.holds(Capability::bpf) && !facts.holds(Capability::sys_admin)) {
    return ok(name, concat({"available, but refused without CAP_BPF (", said, ")"}));
  }
  if (facts.seccomp) {
    return missing(name, concat({"refused despite CAP_BPF, by a seccomp filter: ", said}),
                   "start the container with --security-opt seccomp=unconfined, or with a profile "
                   "that allows bpf()");
  }
  return missing(name, concat({"refused despite CAP_BPF: ", said}),
                 "find the cause in `sudo dmesg | grep -iE 'lockdown|avc|apparmor'`");
}

Check check_memlock(const Facts& facts) {
  constexpr const char* name = "memlock";
  if (!facts.memlock_charged) {
    return ok(name, "BPF memory is not charged to RLIMIT_MEMLOCK");
  }
  if (facts.memlock_limit >= memlock_least) {
    return ok(name, "BPF memory is charged to RLIMIT_MEMLOCK, which is large enough");
  }
  return missing(
      name,
      concat({"before Linux 5.11, BPF memory is charged to RLIMIT_MEMLOCK; it is ",
              std::to_string(facts.memlock_limit >> 10), " KiB and could not be raised"}),
      facts.euid == 0 ? std::string("raise it first: `ulimit -l unlimited`, --ulimit memlock=-1 "
                                    "(docker, podman) or LimitMEMLOCK=infinity (systemd)")
                      : fix_for_capabilities(facts, ",cap_sys_resource"));
}

Check check_lockdown(const Facts& facts) {
  constexpr const char* name = "lockdown";
  if (facts.lockdown == "confidentiality") {
    return missing(name, "confidentiality: BPF programs may not read the kernel's memory",
                   "boot with lockdown=integrity instead of lockdown=confidentiality");
  }
  if (facts.lockdown.empty()) {
    return ok(name, "unknown: the kernel is built without it, or securityfs is not mounted");
  }
  return ok(name, facts.lockdown);
}

Check check_unprivileged(const Facts& facts) {
  constexpr const char* name = "unprivileged BPF";
  constexpr const char* irrelevant = "bpftrap needs CAP_BPF and CAP_PERFMON either way";
  if (!facts.unprivileged_bpf_disabled) {
    return ok(name, concat({"unknown; ", irrelevant}));
  }
  return ok(name, concat({*facts.unprivileged_bpf_disabled == 0 ? "allowed" : "forbidden",
                          " (kernel.unprivileged_bpf_disabled=",
                          std::to_string(*facts.unprivileged_bpf_disabled), "); ", irrelevant}));
}

Check check_ring_buffer(const Facts& facts) {
  constexpr const char* name = "ring buffer";
  if (facts.ring_buffer.worked()) {
    return ok(name, "can be created");
  }
  // check_bpf() already reports a refused bpf().
  if (!facts.bpf.worked() && facts.at_least(5, 8)) {
    return ok(name, "not tried, because bpf() is refused; available since Linux 5.8");
  }
  if (facts.at_least(5, 8)) {
    return missing(name, concat({"cannot be created: ", message_of(facts.ring_buffer.err)}),
                   "raise the memory limit of this container or cgroup");
  }
  return missing(name, "not supported by this kernel; available since Linux 5.8",
                 "run a kernel of 5.10 or later");
}

Check check_btf(const Facts& facts) {
  constexpr const char* name = "kernel BTF";
  if (facts.btf_bytes) {
    std::string size = human_size(*facts.btf_bytes);
    return ok(name, concat({"/sys/kernel/btf/vmlinux, ", size}));
  }
  if (loads(facts)) {
    return ok(name, "not in /sys/kernel/btf/vmlinux, but found elsewhere");
  }
  if (!facts.sysfs) {
    return missing(name, "not found, because sysfs is not mounted",
                   "sudo mount -t sysfs sysfs /sys");
  }
  return missing(
      name, "not in /sys/kernel/btf/vmlinux",
      "run a kernel built with CONFIG_DEBUG_INFO_BTF=y, as in most distributions, or use a file "
      "with this kernel's BTF (--btf FILE)");
}

Check check_tracepoints(const Facts& facts) {
  constexpr const char* name = "tracepoints";
  if (!facts.btf_bytes) {
    return ok(name, "unknown without kernel BTF");
  }
  if (facts.no_tracepoints.empty()) {
    return ok(name, "has all that exec and exit need");
  }
  std::string names;
  for (std::string_view tracepoint : facts.no_tracepoints) {
    names += names.empty() ? "" : ", ";
    names += tracepoint;
  }
  return missing(name, concat({"this kernel's BTF lacks ", names}),
                 "run a kernel built with CONFIG_TRACEPOINTS=y and CONFIG_CGROUPS=y");
}

Check check_group_dead(const Facts& facts) {
  constexpr const char* name = "group_dead";
  if (!facts.btf_bytes) {
    return ok(name, "unknown without kernel BTF");
  }
  return ok(name, facts.group_dead
                      ? "the kernel reports which thread of a process is its last"
                      : "before Linux 6.16 the kernel does not report which thread of a process is "
                        "its last; bpftrap finds out");
}

Check check_task_storage(const Facts& facts) {
  constexpr const char* name = "task storage";
  if (facts.task_storage) {
    return ok(name, facts.bpf.worked() ? "available to tracing programs"
                                       : "not tried; available since Linux 5.12");
  }
  return degraded(name,
                  "not available to tracing programs: at most 65536 processes can be followed at a "
                  "time (--tree, --user, --name, --cgroup, -- PROGRAM)",
                  "run a kernel of 5.12 or later");
}

Check check_failed_exec(const Facts& facts) {
  constexpr const char* name = "failed execs";
  if (facts.failed_exec && facts.failed_exec->worked()) {
    return ok(name, "loads and attaches");
  }
  if (!facts.failed_exec || !loads(facts)) {
    return ok(name, "needs the same as exec");
  }
  return degraded(name,
                  concat({"the program of --event failed and -x does not load: ",
                          message_of(facts.failed_exec->err)}),
                  facts.failed_exec->detail);
}

Check check_jit(const Facts& facts) {
  constexpr const char* name = "JIT";
  if (!facts.jit) {
    return ok(name, "unknown without CAP_BPF");
  }
  if (*facts.jit) {
    return ok(name, "BPF programs are compiled");
  }
  return degraded(name, "BPF programs are interpreted, which is several times slower",
                  "sudo sysctl net.core.bpf_jit_enable=1, on a kernel built with CONFIG_BPF_JIT=y");
}

}  // namespace

void check_kernel(const Facts& facts, std::vector<Check>& checks) {
  for (auto check : {check_version, check_memlock, check_bpf, check_lockdown, check_unprivileged,
                     check_ring_buffer, check_btf, check_tracepoints, check_group_dead,
                     check_task_storage, check_failed_exec, check_jit}) {
    checks.push_back(check(facts));
  }
}

}  // namespace bpftrap::detail
