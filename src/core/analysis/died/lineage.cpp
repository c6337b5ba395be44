// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/lineage.h"

#include <algorithm>

#include "bpf/scope.h"
#include "core/analysis/program_title.h"

namespace bpftrap {

namespace {

constexpr std::size_t ancestors_most = 64;

// The program whose memory the process has: its own, or, before its first exec, that of the
// ancestor that it was forked from.
const RunExec* image_at(const RecordedRun& run, Index process, BootTime time) {
  for (std::size_t i = 0; i < ancestors_most && process != no_index; ++i) {
    if (const RunExec* exec = run.program_at(process, time)) {
      return exec;
    }
    // An exec may be unknown, and the parent is another one if that of the fork has ended.
    if (!run.processes[process].born) {
      return nullptr;
    }
    time = run.processes[process].start();
    process = run.processes[process].parent;
  }
  return nullptr;
}

std::optional<std::string> user_of(RecordedRun& run, Index process) {
  const RunProcess& known = run.processes[process];
  bool identified = known.born || known.end_recorded;
  for (Index i = known.first_exec; i != no_index && !identified; i = run.execs[i].next) {
    identified = run.execs[i].filename != TextId::none;
  }
  return identified ? std::optional(std::string(run.users.name(known.uid))) : std::nullopt;
}

}  // namespace

Index find_process(const RecordedRun& run, const ProcessId& id) {
  for (std::size_t i = run.processes.size(); i-- > 0;) {
    // /proc told the tick only. No pid is used again within one.
    const ProcessId& known = run.processes[i].id;
    if (known.pid == id.pid && known.start_ns / BPFTRAP_TICK_NS == id.start_ns / BPFTRAP_TICK_NS) {
      return static_cast<Index>(i);
    }
  }
  return no_index;
}

Relative relative_at(RecordedRun& run, Index process, BootTime time) {
  const RunProcess& known = run.processes[process];
  Relative relative{.id = known.id,
                    .local_pid = known.local_pid,
                    .comm = std::string(run.comm(process)),
                    .user = user_of(run, process)};
  std::string_view filename;
  bool is_script = false;
  if (const RunExec* image = image_at(run, process, time)) {
    filename = run.text(image->filename);
    is_script = image->interp != TextId::none;
    if (image->args != TextId::none) {
      relative.args = std::string(run.text(image->args));
      relative.args_truncated = image->args_truncated;
    }
  }
  relative.title = program_title(relative.args.value_or(""), filename, is_script, relative.comm);
  return relative;
}

Index parent_of(const RecordedRun& run, Index process) {
  const RunProcess& known = run.processes[process];
  return known.parent != no_index ? known.parent : known.end_parent;
}

Lineage lineage_at(RecordedRun& run, Index process, BootTime time) {
  Lineage lineage;
  for (Index at = process; at != no_index; at = parent_of(run, at)) {
    if (lineage.members.size() == ancestors_most) {
      lineage.more = true;
      break;
    }
    lineage.members.push_back(relative_at(run, at, time));
  }
  if (!lineage.members.empty() && lineage.members.back().id.pid > 2) {
    lineage.more = true;  // process 1 and the kernel's thread 2 have no parent
  }
  return lineage;
}

bool descends_from(const RecordedRun& run, Index process, Index ancestor) {
  for (std::size_t i = 0; i < ancestors_most && process != no_index; ++i) {
    process = parent_of(run, process);
    if (process == ancestor) {
      return true;
    }
  }
  return false;
}

}  // namespace bpftrap
