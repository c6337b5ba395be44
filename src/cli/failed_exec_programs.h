// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs that bring the strings of failed execs into memory: src/bpf/fault_in.bpf.h. Most
// kernels have no way to do that, and the strings are then unknown.
#pragma once

#include <bpf/libbpf.h>

#include <memory>
#include <string>
#include <string_view>

namespace bpftrap {

class FailedExecPrograms {
 public:
  // Loads the programs of kernels on which the end of a system call may sleep (7.2).
  FailedExecPrograms(std::string_view command, const std::string& btf);
  FailedExecPrograms(const FailedExecPrograms&) = delete;
  FailedExecPrograms& operator=(const FailedExecPrograms&) = delete;
  ~FailedExecPrograms();

  // True if there may be a way that needs the maps of the tracer: see load().
  bool may_defer() const;

  // Maps of src/bpf/process.bpf.c, which must be loaded.
  struct Maps {
    const bpf_map* records;
    const bpf_map* lost;
    const bpf_map* deferred_execs;
  };
  // Loads the programs of kernels that call back when the caller returns (6.18), if may_defer().
  void load(const Maps& maps);

  // To be called before the tracer's own programs are attached, which run after these.
  void attach();

 private:
  struct Loaded;
  std::string command_;
  std::string btf_;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace bpftrap
