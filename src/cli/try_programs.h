// SPDX-License-Identifier: GPL-2.0-only
// Loads and attaches the programs of `exec` and `exit` for a moment, for `doctor`. Each is defined
// in its command's file, as the only one that includes the skeleton.
#pragma once

#include <bpf/libbpf.h>

#include "cli/process_command.h"
#include "core/followed.h"
#include "core/skeleton.h"

namespace bpftrap {

// Throw Error. `failed`: with the program of --failed.
void try_exec(bool failed);
void try_exit();

// `choose` may say which programs to load, as in trace().
template <class Skeleton, class Choose>
void try_programs(std::string_view command, Choose&& choose) {
  OpenSkeleton<Skeleton> open(command, "");
  open.rodata().cfg.twice = kernel_preempts_programs() ? 1 : 0;
  choose_programs(open.progs(), open.rodata().cfg);
  bpf_map__set_autocreate(open.maps().task_marks, kernel_has_task_storage());
  choose(open.progs());
  LoadedSkeleton<Skeleton> loaded = std::move(open).load();
  loaded.attach();
}

}  // namespace bpftrap
