// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of src/bpf/pid_namespace.bpf.c, which translate process ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/process/process_list.h"

namespace bpftrap {

// Throws Error, as all of the following.
OwnIds own_ids(std::string_view command, const std::string& btf);

// Lists processes, as often as asked: by /proc if that shows all of them with the numbers of the
// initial namespace, else by a BPF iterator, which needs the kernel's own BTF.
class ProcessLister {
 public:
  ProcessLister(std::string_view command, const std::string& btf);
  ProcessLister(ProcessLister&&) noexcept;
  ~ProcessLister();

  ProcessList list();
  // The process with this number in bpftrap's own pid namespace. `option` is what names it.
  ListedProcess find(Pid local_pid, std::string_view option);

 private:
  struct Programs;
  std::unique_ptr<Programs> programs_;  // none: by /proc
};

}  // namespace bpftrap
