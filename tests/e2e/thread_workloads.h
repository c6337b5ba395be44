// SPDX-License-Identifier: GPL-2.0-only
// Workloads whose threads execute a program, or that change before they execute the next one.
#pragma once

#include <string>
#include <vector>

namespace e2e {

// WORKLOAD...: a thread executes it after the leader has ended.
int workload_then_after_leader(const std::vector<std::string>& arguments);
// PATH: a thread executes that, which is no workload.
int workload_execute_from_thread(const std::vector<std::string>& arguments);
// N: a thread ends the process with N after the leader has ended.
int workload_leader_first(const std::vector<std::string>& arguments);
// UID WORKLOAD...: takes that real and effective user, and executes the workload.
int workload_become_then(const std::vector<std::string>& arguments);
// FILE WORKLOAD...: goes into the cgroup whose cgroup.procs that is, and executes the workload.
int workload_move_then(const std::vector<std::string>& arguments);

}  // namespace e2e
