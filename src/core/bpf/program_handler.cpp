// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/program_handler.h"

#include <cstring>

#include "core/bpf/direct_reads.h"
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

ProgramHandler::ProgramHandler(const std::vector<std::string>& hooks) {
  LIBBPF_OPTS(libbpf_prog_handler_opts, options);
  options.cookie = reinterpret_cast<long>(this);
  options.prog_prepare_load_fn = call_prepare;
  options.prog_attach_fn = attach_raw;
  for (const std::string& hook : hooks) {
    int handler = libbpf_register_prog_handler(
        ("raw_tp/" + hook).c_str(), BPF_PROG_TYPE_RAW_TRACEPOINT, bpf_attach_type{}, &options);
    if (handler < 0) {
      throw Error("cannot prepare the program of " + hook, -handler);
    }
  }
}

int ProgramHandler::call_prepare(bpf_program* program, bpf_prog_load_opts* options, long self) {
  complete_direct_reads(program);
  // libbpf keeps a number for the callback, not a pointer.
  auto* handler = reinterpret_cast<ProgramHandler*>(self);  // NOLINT(performance-no-int-to-ptr)
  handler->prepare(program, *options);
  return 0;
}

}  // namespace bpftrap
