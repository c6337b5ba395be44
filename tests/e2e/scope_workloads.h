// SPDX-License-Identifier: GPL-2.0-only
// Workloads for a PROGRAM of bpftrap. They have descendants, or report what bpftrap gave them.
#pragma once

#include <string>
#include <vector>

#include "e2e/child.h"

namespace e2e {

// Appends the identity of this process to a shared file. The test cannot wait for such processes:
// read_notes() returns them with pid and start only.
void note_self(const std::string& path);
std::vector<Ended> read_notes(const std::string& path);

// FILE WORKLOAD...: writes a note to FILE, then executes the workload.
int workload_note(const std::vector<std::string>& arguments);
// N: ends by signal N.
int workload_die(const std::vector<std::string>& arguments);
// MS: uses MS milliseconds of CPU time.
int workload_burn(const std::vector<std::string>& arguments);
// UID: changes to that user.
int workload_become(const std::vector<std::string>& arguments);
// FILE: moves into the cgroup whose cgroup.procs is FILE.
int workload_move(const std::vector<std::string>& arguments);
// PATH: executes PATH, which is this binary under another name.
int workload_then_as(const std::vector<std::string>& arguments);
// WORD: prints WORD on standard output.
int workload_say(const std::vector<std::string>& arguments);
// Prints its descriptors and signal dispositions on standard error, one per line.
int workload_say_state(const std::vector<std::string>& arguments);
// Prints ids and groups, then all variables in order, on standard error.
int workload_say_environment(const std::vector<std::string>& arguments);
// Prints ids and groups, then the variables that sudo and login set, on standard error.
int workload_say_user(const std::vector<std::string>& arguments);
// FILE: writes a note. Half a second after the first SIGINT it ends with 10 plus their number.
int workload_count_interrupts(const std::vector<std::string>& arguments);
// FILE MS: starts a daemon (two forks, own session) and ends with 3 without waiting. The daemon
// writes a note and, MS after its parent's end, executes a program that ends with 5.
int workload_daemon(const std::vector<std::string>& arguments);
// FILE MS STATUS: runs `nothing` every few milliseconds for MS, then writes a note and ends with
// STATUS.
int workload_busy(const std::vector<std::string>& arguments);
// FILE GENERATIONS EACH: one process of each generation starts the EACH processes of the next one.
// Its own parent has ended by then. All write a note, and none waits for another.
int workload_generations(const std::vector<std::string>& arguments);

// FILE COUNT: when FILE exists, leaves COUNT orphans that end at once. Then writes a note and
// pauses.
int workload_orphans(const std::vector<std::string>& arguments);
// Ends with 3. An orphan then gets the same pid, and ends with 5.
int workload_successor(const std::vector<std::string>& arguments);
// WORKLOAD...: executes it as process 1 of a new pid namespace.
int workload_inside(const std::vector<std::string>& arguments);

}  // namespace e2e
