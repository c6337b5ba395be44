// SPDX-License-Identifier: GPL-2.0-only
// One program of SEC("raw_tp/HOOK") that may be loaded as a tracing program instead. libbpf would
// read all of the kernel's BTF for that, to find one number, which costs 13 ms.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <string>

#include "core/bpf/btf_subset.h"

namespace bpftrap {

// Exists from before the first object is opened until the end of bpftrap: libbpf 1.1 frees its list
// twice if the last handler of programs is removed and another one is added.
class TracingHook {
 public:
  // `hook`: a raw tracepoint. Throws Error.
  explicit TracingHook(const std::string& hook);
  TracingHook(const TracingHook&) = delete;
  TracingHook& operator=(const TracingHook&) = delete;

  // The kernel's type of the hook. If its id is set before the load, the program becomes a tracing
  // program.
  TypedefId& type() { return type_; }

 private:
  static int prepare(bpf_program* program, bpf_prog_load_opts* options, long self);

  std::string section_;
  TypedefId type_;
};

}  // namespace bpftrap
