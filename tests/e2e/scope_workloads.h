// SPDX-License-Identifier: GPL-2.0-only
// Workloads that have descendants, or say what bpftrap gave them: for a PROGRAM that it starts.
#pragma once

#include <string>
#include <vector>

#include "e2e/child.h"

namespace e2e {

// Appends who it is to a file that processes share. Those that only note themselves there cannot be
// waited for: read_notes() gives them with pid and start alone.
void note_self(const std::string& path);
std::vector<Ended> read_notes(const std::string& path);

// FILE WORKLOAD...: notes itself, executes the workload.
int workload_note(const std::vector<std::string>& arguments);
// N: ends by signal N.
int workload_die(const std::vector<std::string>& arguments);
// MS: uses so much CPU time.
int workload_burn(const std::vector<std::string>& arguments);
// UID: becomes that user.
int workload_become(const std::vector<std::string>& arguments);
// FILE: goes into the cgroup whose cgroup.procs that is.
int workload_move(const std::vector<std::string>& arguments);
// PATH: executes that, which is this binary under another name.
int workload_then_as(const std::vector<std::string>& arguments);
// WORD: on standard output.
int workload_say(const std::vector<std::string>& arguments);
// Says its descriptors and what it does about signals, a line each, on standard error.
int workload_say_state(const std::vector<std::string>& arguments);
// Says ids and groups, then the variables that sudo and login set, on standard error.
int workload_say_user(const std::vector<std::string>& arguments);
// FILE: notes itself; half a second after the first SIGINT ends with 10 and one for each.
int workload_count_interrupts(const std::vector<std::string>& arguments);
// FILE MS: starts a daemon (two forks, a session of its own) that notes itself and, MS after its
// parent has ended, executes a program that ends with 5. Ends with 3 without waiting for it.
int workload_daemon(const std::vector<std::string>& arguments);
// FILE GENERATIONS EACH: each generation of so many processes is started by one process of the one
// before, which has lost its own parent by then. All note themselves; nobody waits for anybody.
int workload_generations(const std::vector<std::string>& arguments);

}  // namespace e2e
