// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of src/bpf/pid_namespace.bpf.c, which translate process ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/process/named_processes.h"
#include "core/process/process_list.h"
#include "core/text/units.h"

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
  // The process with this number in bpftrap's own pid namespace, or with this id. `option` names
  // it. Refuses threads and zombies.
  NamedProcess find(const PidOrId& wanted, std::string_view option);

 private:
  ListedProcess find_listed(Pid local_pid, const PidOrId& wanted, std::string_view option);
  Pid local_pid_of(const PidOrId& wanted);

  struct Programs;
  std::unique_ptr<Programs> programs_;  // none: by /proc
};

}  // namespace bpftrap
