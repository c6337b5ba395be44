// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/tracing_hook.h"

#include <linux/btf.h>

namespace bpftrap {

TracingHook::TracingHook(const std::string& hook)
    : ProgramHandler(std::vector<std::string>{hook}),
      type_{"btf_trace_" + hook, BTF_KIND_TYPEDEF} {}

void TracingHook::prepare(bpf_program* program, bpf_prog_load_opts& options) {
  if (type_.id == 0) {
    return;
  }
  // Until now libbpf has taken it for a raw tracepoint, so it has not read the kernel's BTF.
  bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
  bpf_program__set_expected_attach_type(program, BPF_TRACE_RAW_TP);
  options.expected_attach_type = BPF_TRACE_RAW_TP;
  options.attach_btf_id = type_.id;
}

}  // namespace bpftrap
