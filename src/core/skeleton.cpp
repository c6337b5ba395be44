// SPDX-License-Identifier: GPL-2.0-only
#include "core/skeleton.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/capability.h"
#include "core/error.h"
#include "core/libbpf_log.h"

namespace bpftrap {

namespace {

std::string hint_for(int err, int memlock_err) {
  if (err == EPERM || err == EACCES) {
    if (!has_bpf_capabilities()) {
      return "it needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN): run it with sudo";
    }
    if (memlock_err != 0) {
      return "this kernel charges BPF memory to RLIMIT_MEMLOCK, which could not be raised: run it "
             "with CAP_SYS_RESOURCE or after `ulimit -l unlimited`";
    }
    return "the kernel forbids it in spite of CAP_BPF and CAP_PERFMON: look for kernel lockdown in "
           "/sys/kernel/security/lockdown and for a container's seccomp filter";
  }
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0 &&
      (err == ESRCH || err == ENOENT || err == EINVAL)) {
    return "this kernel shows no BTF in /sys/kernel/btf/vmlinux: run a kernel that is built with "
           "CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels since 5.10 are";
  }
  if (err == ENOSYS) {
    return "this kernel has no bpf() system call: run one that is built with CONFIG_BPF_SYSCALL=y";
  }
  return {};
}

}  // namespace

void make_tracing(bpf_program* program, std::string_view command) {
  const char* section = bpf_program__section_name(program);
  const char* hook = std::strchr(section, '/');
  bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
  bpf_program__set_autoattach(program, false);
  bpf_program__set_expected_attach_type(program, BPF_TRACE_RAW_TP);
  if (int err = bpf_program__set_attach_target(program, 0, hook + 1); err != 0) {
    throw_bpf_error({command, "open", -err});
  }
}

Links attach_tracing(bpf_object* object, std::string_view command) {
  Links links;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING && bpf_program__fd(program) >= 0) {
      links.emplace_back(bpf_program__attach_trace(program));
      if (!links.back()) {
        throw_bpf_error({command, "attach", errno});
      }
    }
  }
  return links;
}

void throw_bpf_error(const BpfStep& step) {
  std::vector<std::string> log = LibbpfLog::take_warnings();
  if ((step.err == EPERM || step.err == EACCES) && !has_bpf_capabilities()) {
    log.clear();  // the reason is known, libbpf's guesses would only distract
  }
  throw Error(fmt::format("cannot {} the BPF programs of {}", step.step, step.command), step.err,
              hint_for(step.err, step.memlock_err), std::move(log));
}

}  // namespace bpftrap
