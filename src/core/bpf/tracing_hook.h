// SPDX-License-Identifier: GPL-2.0-only
// One program of SEC("raw_tp/HOOK") that may be loaded as a tracing program instead. libbpf would
// read all of the kernel's BTF for that, to find one number, which costs 13 ms.
#pragma once

#include <string>

#include "core/bpf/btf_subset.h"
#include "core/bpf/program_handler.h"

namespace bpftrap {

class TracingHook final : public ProgramHandler {
 public:
  // `hook`: a raw tracepoint. Throws Error.
  explicit TracingHook(const std::string& hook);

  // The kernel's type of the hook. If its id is set before the load, the program becomes a tracing
  // program.
  WantedType& type() { return type_; }

 private:
  void prepare(bpf_program* program, bpf_prog_load_opts& options) override;

  WantedType type_;
};

}  // namespace bpftrap
