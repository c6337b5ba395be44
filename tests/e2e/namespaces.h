// SPDX-License-Identifier: GPL-2.0-only
// Pid, user and time namespaces for the processes of a test, and the kernel's own translation of
// process ids: the line NSpid of /proc/PID/status.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace e2e {

// Goes into a new pid namespace with a /proc of its own: returns in its process 1. The caller stays
// outside, passes on SIGINT and SIGTERM, and ends as process 1 does.
void enter_pid_namespace();

// The same in a new user namespace, whose root has no rights outside.
void enter_user_and_pid_namespace();

// Goes into a new time namespace only, in a process as above. Its CLOCK_BOOTTIME is so many seconds
// ahead.
void enter_time_namespace(int seconds);

// A new pid namespace as above, in a new time namespace, whose CLOCK_BOOTTIME is so many seconds
// ahead.
void enter_time_and_pid_namespace(int seconds);

// As fork(), but the child's number in this pid namespace is `pid`. Returns -1 if it cannot have
// it.
pid_t fork_as(pid_t pid);

// Numbers of a process from the test's namespace down to its innermost one, or none.
std::vector<pid_t> numbers_of(pid_t pid);

// Pid, in the test's namespace, of the descendant of `ancestor` with these numbers below. Throws
// Failure if it does not turn up.
pid_t await_process(pid_t ancestor, const std::vector<pid_t>& numbers);

// The same of PROGRAM, the first child of a bpftrap that is process 1 of a namespace. Its number
// there depends on the threads of bpftrap.
pid_t await_program(pid_t ancestor);

// Whether the kernel has time namespaces.
bool has_time_namespaces();

}  // namespace e2e
