// SPDX-License-Identifier: GPL-2.0-only
// Features that the running kernel has or lacks, found by a trial where that is possible.
#pragma once

namespace bpftrap {

// Whether programs may call bpf_loop(): since 5.17 (src/bpf/process_exit.bpf.h).
bool kernel_has_bpf_loop();

// Whether tracing programs may keep task storage: since 5.12 (a10787e6d58c).
bool kernel_has_task_storage();

}  // namespace bpftrap
