// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/sandbox.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <span>
#include <system_error>

#include "core/os/capability.h"

namespace bpftrap {

namespace {

#include "sandbox_filter.inc"

// Drops capabilities that execve() could regain. Without CAP_SETPCAP, only no_new_privs prevents
// it.
void empty_bounding_set(const Capabilities& held) {
  if (!contains(held.effective, Capability::setpcap)) {
    return;
  }
  for (unsigned number = 0; number < capability_numbers; ++number) {
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) {
      return;  // EINVAL: the last capability of this kernel was reached
    }
  }
}

bool give_up_capabilities(const SandboxNeeds& needs) {
  std::optional<Capabilities> held = get_capabilities();
  if (!held) {
    return false;
  }
  empty_bounding_set(*held);
  CapabilitySet keep = needs.signals_program ? set_of(Capability::kill) : 0;
  if (needs.reads_files) {
    keep |= set_of(Capability::sys_ptrace);
  }
  keep &= held->permitted;
  if (needs.can_read_maps && needs.can_read_maps()) {
    // Reading works with all capabilities. Find the smallest set that suffices.
    for (CapabilitySet more :
         {CapabilitySet{0}, set_of(Capability::bpf), set_of(Capability::sys_admin)}) {
      CapabilitySet enough = keep | (more & held->permitted);
      if (set_capabilities({enough, held->permitted}) && needs.can_read_maps()) {
        keep = enough;
        break;
      }
    }
  }
  return set_capabilities({keep, keep});
}

bool install(std::span<const sock_filter> filter) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter.size());
  program.filter = const_cast<sock_filter*>(filter.data());
  // SPEC_ALLOW: before 5.16 a filter otherwise enables Speculative Store Bypass mitigation, which
  // slows memory accesses down and protects only programs that run foreign code.
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                   &program) == 0 ||
         (errno == EINVAL && ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

}  // namespace

std::vector<std::string> enter_sandbox(const SandboxNeeds& needs) {
  std::vector<std::string> missing;
  auto miss = [&missing](const char* what) {
    missing.push_back("sandbox: cannot " + std::string(what) + ": " +
                      std::generic_category().message(errno) + "; continuing without it");
  };
  if (!give_up_capabilities(needs)) {
    miss("give up capabilities");
  }
  // Without it, only CAP_SYS_ADMIN may install a filter.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    miss("set no_new_privs");
  }
  bool installed = needs.reads_files ? install(reading_filter) : install(loop_filter);
  if (!installed) {
    miss("install a seccomp filter (CONFIG_SECCOMP_FILTER)");
  }
  return missing;
}

}  // namespace bpftrap
