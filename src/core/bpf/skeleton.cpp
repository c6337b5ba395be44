// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/skeleton.h"

#include <cerrno>
#include <cstring>

#include "core/bpf/libbpf_log.h"

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

BpfError::BpfError(const BpfStep& step)
    : Error(
          "cannot " + std::string(step.step) + " the BPF programs of " + std::string(step.command),
          step.err, "", LibbpfLog::take_warnings()) {}

}  // namespace bpftrap
