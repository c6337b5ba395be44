// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/tracing_hook.h"

#include <bpf/bpf.h>

#include <cstring>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// Attaches the program if it has remained a raw tracepoint. attach_tracing() attaches the other
// kind.
int attach_raw(const bpf_program* program, long /*cookie*/, bpf_link** link) {
  *link = nullptr;
  if (bpf_program__type(program) != BPF_PROG_TYPE_RAW_TRACEPOINT) {
    return 0;
  }
  const char* hook = std::strchr(bpf_program__section_name(program), '/') + 1;
  *link = bpf_program__attach_raw_tracepoint(program, hook);
  return static_cast<int>(libbpf_get_error(*link));
}

}  // namespace

TracingHook::TracingHook(const std::string& hook)
    : section_("raw_tp/" + hook), type_{"btf_trace_" + hook} {
  LIBBPF_OPTS(libbpf_prog_handler_opts, options);
  options.cookie = reinterpret_cast<long>(this);
  options.prog_prepare_load_fn = prepare;
  options.prog_attach_fn = attach_raw;
  int handler = libbpf_register_prog_handler(section_.c_str(), BPF_PROG_TYPE_RAW_TRACEPOINT,
                                             bpf_attach_type{}, &options);
  if (handler < 0) {
    throw Error("cannot prepare the program of " + hook, -handler);
  }
}

int TracingHook::prepare(bpf_program* program, bpf_prog_load_opts* options, long self) {
  // libbpf keeps a number for the callback, not a pointer.
  const auto& hook =
      *reinterpret_cast<const TracingHook*>(self);  // NOLINT(performance-no-int-to-ptr)
  if (hook.type_.id == 0) {
    return 0;
  }
  // Until now libbpf has taken it for a raw tracepoint, so it has not read the kernel's BTF.
  bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
  bpf_program__set_expected_attach_type(program, BPF_TRACE_RAW_TP);
  options->expected_attach_type = BPF_TRACE_RAW_TP;
  options->attach_btf_id = hook.type_.id;
  return 0;
}

}  // namespace bpftrap
