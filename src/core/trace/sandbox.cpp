// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/sandbox.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <system_error>

namespace bpftrap {

namespace {

#include "sandbox_filter.inc"

// Numbers that older headers lack.
constexpr unsigned cap_bpf = 39;
constexpr unsigned cap_last_possible = 63;

constexpr std::uint64_t bit(unsigned capability) {
  return std::uint64_t{1} << capability;
}

struct Capabilities {
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
};

bool get(Capabilities& held) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) {
    return false;
  }
  held.effective = data[0].effective | std::uint64_t{data[1].effective} << 32;
  held.permitted = data[0].permitted | std::uint64_t{data[1].permitted} << 32;
  return true;
}

// None is inheritable, so no ambient one is left either (security/commoncap.c cap_capset()).
bool set(const Capabilities& wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned word = 0; word < 2; ++word) {
    data[word].effective = static_cast<std::uint32_t>(wanted.effective >> (32 * word));
    data[word].permitted = static_cast<std::uint32_t>(wanted.permitted >> (32 * word));
  }
  return ::syscall(SYS_capset, &header, data) == 0;
}

// What execve() could give. Without CAP_SETPCAP it stays, and no_new_privs has to do.
void empty_bounding_set(const Capabilities& held) {
  if ((held.effective & bit(CAP_SETPCAP)) == 0) {
    return;
  }
  for (unsigned capability = 0; capability <= cap_last_possible; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return;  // EINVAL: this kernel knows no more
    }
  }
}

bool give_up_capabilities(const SandboxNeeds& needs) {
  Capabilities held;
  if (!get(held)) {
    return false;
  }
  empty_bounding_set(held);
  std::uint64_t keep = needs.signals_program ? bit(CAP_KILL) : 0;
  if (needs.reads_files) {
    keep |= bit(CAP_SYS_PTRACE);
    keep |= (held.permitted & bit(CAP_DAC_READ_SEARCH)) != 0 ? bit(CAP_DAC_READ_SEARCH)
                                                             : bit(CAP_DAC_OVERRIDE);
  }
  keep &= held.permitted;
  if (needs.can_read_maps && needs.can_read_maps()) {
    // With all capabilities it works: which one does it take?
    for (std::uint64_t more : {std::uint64_t{0}, bit(cap_bpf), bit(CAP_SYS_ADMIN)}) {
      std::uint64_t enough = keep | (more & held.permitted);
      if (set({enough, held.permitted}) && needs.can_read_maps()) {
        keep = enough;
        break;
      }
    }
  }
  return set({keep, keep});
}

bool install(std::span<const sock_filter> filter) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter.size());
  program.filter = const_cast<sock_filter*>(filter.data());
  // Until 5.16 a filter else turns on what slows memory accesses down (Speculative Store Bypass,
  // for programs that run foreign code).
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                   &program) == 0 ||
         (errno == EINVAL && ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

}  // namespace

std::vector<std::string> enter_sandbox(const SandboxNeeds& needs) {
  std::vector<std::string> missing;
  auto miss = [&missing](const char* what) {
    missing.push_back("sandbox: cannot " + std::string(what) + ": " +
                      std::generic_category().message(errno) + "; going on without");
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
