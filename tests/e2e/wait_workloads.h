// SPDX-License-Identifier: GPL-2.0-only
// Workloads of which it is known for what they wait.
#pragma once

#include <string>
#include <vector>

namespace e2e {

// spin MS: uses the CPU for so long.
int workload_spin(const std::vector<std::string>& arguments);
// busy-parent SLEEP SPIN: starts a child that sleeps SLEEP ms, uses the CPU for SPIN ms, and then
// waits for it.
int workload_busy_parent(const std::vector<std::string>& arguments);
// threaded-parent SLEEP SPIN: a thread starts a child that sleeps SLEEP ms and waits for it, while
// the first thread uses the CPU for SPIN ms. Waits for the thread.
int workload_threaded_parent(const std::vector<std::string>& arguments);

}  // namespace e2e
