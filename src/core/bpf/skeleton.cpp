// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/skeleton.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/bpf/libbpf_log.h"
#include "core/os/tracefs.h"

namespace bpftrap {

void make_tracing(bpf_program* program, std::string_view command) {
  const char* section = bpf_program__section_name(program);
  const char* hook = std::strchr(section, '/');
  bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
  bpf_program__set_autoattach(program, false);
  bpf_program__set_expected_attach_type(program, BPF_TRACE_RAW_TP);
  if (int err = bpf_program__set_attach_target(program, 0, hook + 1); err != 0) {
    throw BpfError({command, "open", -err});
  }
}

Links attach_tracing(bpf_object* object, std::string_view command) {
  Links links;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING && bpf_program__fd(program) >= 0) {
      links.emplace_back(bpf_program__attach_trace(program));
      if (!links.back()) {
        throw BpfError({command, "attach", errno});
      }
    }
  }
  return links;
}

void provide_tracepoints(const bpf_object* object) {
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object, const_cast<bpf_program*>(program))) !=
         nullptr) {
    if (bpf_program__type(program) == BPF_PROG_TYPE_TRACEPOINT && bpf_program__fd(program) >= 0) {
      provide_tracefs();
      return;
    }
  }
}

bpftrap_self describe_self() {
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) != 0) {
    throw Error("cannot look at /proc/self/ns/pid", errno, "mount /proc");
  }
  // The kernel's dev_t, include/linux/kdev_t.h, which is not stat()'s encoding.
  std::uint64_t device = (std::uint64_t{major(status.st_dev)} << 20) | minor(status.st_dev);
  return {device, status.st_ino, static_cast<std::uint32_t>(::getpid()), 0};
}

BpfError::BpfError(const BpfStep& step)
    : Error(
          "cannot " + std::string(step.step) + " the BPF programs of " + std::string(step.command),
          step.err, "", LibbpfLog::take_warnings()) {}

}  // namespace bpftrap
