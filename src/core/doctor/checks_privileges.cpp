// SPDX-License-Identifier: GPL-2.0-only
// Checks of this process's privileges.
#include "core/doctor/checks.h"
#include "core/text/text.h"

namespace bpftrap::detail {

std::string fix_for_capabilities(const Facts& facts, std::string_view more) {
  if (facts.user_namespace) {
    return "run it outside the user namespace (rootless container, unshare -U), as root of the "
           "machine: sudo bpftrap";
  }
  if (facts.no_new_privs) {
    return "no_new_privs is set here, so sudo and setcap have no effect: run it from a session or "
           "service without it";
  }
  if (facts.euid == 0 || !facts.may_hold(Capability::bpf) || !facts.may_hold(Capability::perfmon)) {
    return "this container or service lacks them: start it with --cap-add=BPF "
           "--cap-add=PERFMON (docker, podman) or CapabilityBoundingSet= (systemd)";
  }
  std::string path;
  append_shell_quoted(path, facts.executable.empty() ? "bpftrap" : facts.executable,
                      WordPlace::argument);
  return concat({"run it with sudo, or once: sudo setcap cap_bpf,cap_perfmon", more, "+ep ", path});
}

namespace {

Check check_capability(const Facts& facts, Capability capability, const char* name,
                       const char* without) {
  if (facts.holds(capability)) {
    return ok(name, "held");
  }
  if (facts.holds(Capability::sys_admin)) {
    return ok(name, "not held; CAP_SYS_ADMIN includes it");
  }
  if (facts.user_namespace && contains(facts.effective, capability)) {
    return missing(name, "held in a user namespace only, where BPF does not accept it",
                   fix_for_capabilities(facts));
  }
  return missing(name, concat({"not held: ", without}), fix_for_capabilities(facts));
}

Check check_sys_admin(const Facts& facts) {
  constexpr const char* name = "CAP_SYS_ADMIN";
  return ok(name, facts.holds(Capability::sys_admin)
                      ? "held; exec and exit do not need it"
                      : "not held and not needed; hello needs it if tracefs is not mounted");
}

Check check_sys_resource(const Facts& facts) {
  constexpr const char* name = "CAP_SYS_RESOURCE";
  if (facts.holds(Capability::sys_resource)) {
    return ok(name, "held");
  }
  return ok(name, facts.memlock_charged ? "not held; it would raise RLIMIT_MEMLOCK, see memlock"
                                        : "not held and not needed since Linux 5.11");
}

Check check_sys_ptrace(const Facts& facts) {
  constexpr const char* name = "CAP_SYS_PTRACE";
  if (facts.holds(Capability::sys_ptrace)) {
    return ok(name, "held");
  }
  return degraded(
      name,
      "not held: if /proc is mounted with hidepid, `args` is null for processes of other "
      "users that are older than bpftrap",
      facts.holds_bpf_capabilities() && facts.euid == 0
          ? "start the container or service with CAP_SYS_PTRACE as well"
          : fix_for_capabilities(facts, ",cap_sys_ptrace"));
}

// exec and exit open fewer, for any options; each --pid and --tree needs one more.
constexpr std::uint64_t open_files_least = 64;

Check check_open_files(const Facts& facts) {
  constexpr const char* name = "open files";
  if (facts.open_files_limit >= open_files_least) {
    return ok(name, "RLIMIT_NOFILE is large enough");
  }
  return missing(name,
                 concat({"RLIMIT_NOFILE allows ", std::to_string(facts.open_files_limit),
                         ", exec and exit need up to ", std::to_string(open_files_least)}),
                 fix_for_open_files);
}

}  // namespace

void check_privileges(const Facts& facts, std::vector<Check>& checks) {
  checks.push_back(check_capability(facts, Capability::bpf, "CAP_BPF",
                                    "BPF programs and maps cannot be loaded"));
  checks.push_back(check_capability(facts, Capability::perfmon, "CAP_PERFMON",
                                    "BPF programs may not trace or read the kernel's memory"));
  for (auto check : {check_sys_admin, check_sys_resource, check_sys_ptrace, check_open_files}) {
    checks.push_back(check(facts));
  }
}

}  // namespace bpftrap::detail
