// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_scope.h"

#include <sys/random.h>

#include "core/bpf/kernel_features.h"
#include "core/bpf/recursion_misses.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/proc_cgroup.h"

namespace bpftrap {

void store_signals(bpftrap_scope& scope, const std::string& btf) {
  scope.signal_storage = btf.empty() && kernel_has_task_storage() ? 1 : 0;
  if (::getrandom(&scope.signals_magic, sizeof scope.signals_magic, GRND_NONBLOCK) < 0) {
    scope.signals_magic = static_cast<__u64>(BootClock::now().time_since_epoch().count());
  }
}

bpftrap_scope choose_scope(const TraceOptions& options, const OwnIds& own) {
  bpftrap_scope scope = make_scope(options);
  set_own_namespace(scope, own);
  bool marks = scope.follow != 0 || bpftrap_keeps_verdicts(&scope) != 0;
  scope.task_storage = options.btf.empty() && marks && kernel_has_task_storage() ? 1 : 0;
  store_signals(scope, options.btf);
  scope.twice = kernel_misses_events() ? 1 : 0;
  scope.cgroup_v1 = is_in_cgroup1(read_file("/proc/self/cgroup").value_or("")) ? 1 : 0;
  if (options.wait_all || !options.trees.empty()) {
    scope.report_forks = 1;  // for LastDescendant, because an end may be missed
  }
  return scope;
}

}  // namespace bpftrap
