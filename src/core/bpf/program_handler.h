// SPDX-License-Identifier: GPL-2.0-only
// libbpf's handler for the programs of some raw tracepoints, SEC("raw_tp/HOOK"). It also completes
// the instructions of those that read directly (direct_reads.h), so these need a handler, if only
// this one.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <string>
#include <vector>

namespace bpftrap {

// Exists from before the first object is opened until the end of bpftrap: libbpf 1.1 frees its list
// twice if the last handler of programs is removed and another one is added.
class ProgramHandler {
 public:
  // Throws Error.
  explicit ProgramHandler(const std::vector<std::string>& hooks);
  ProgramHandler(const ProgramHandler&) = delete;
  ProgramHandler& operator=(const ProgramHandler&) = delete;
  virtual ~ProgramHandler() = default;

 protected:
  // Called before libbpf loads a program. May change the program and `options`.
  virtual void prepare(bpf_program* /*program*/, bpf_prog_load_opts& /*options*/) {}

 private:
  static int call_prepare(bpf_program* program, bpf_prog_load_opts* options, long self);
};

}  // namespace bpftrap
