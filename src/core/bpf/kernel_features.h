// SPDX-License-Identifier: GPL-2.0-only
// Features of the running kernel, probed by a trial if possible.
#pragma once

namespace bpftrap {

// True if programs may call bpf_loop(): since 5.17 (src/bpf/process_exit.bpf.h).
bool kernel_has_bpf_loop();

// True if tracing programs may use task storage: since 5.12 (a10787e6d58c).
bool kernel_has_task_storage();

}  // namespace bpftrap
