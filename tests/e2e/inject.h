// SPDX-License-Identifier: GPL-2.0-only
// Makes another process do a system call, as an attacker who controls it would.
#pragma once

#include <sys/types.h>

#include <array>

namespace e2e {

// The process must have one thread, which waits in a system call. Returns 0 or more, or a negative
// errno. Addresses are those of the other process. Throws Failure if it cannot be traced.
long inject_call(pid_t pid, long number, const std::array<unsigned long, 6>& arguments = {});

// Writes `text` and a NUL to the other process's stack. Returns its address there.
unsigned long inject_text(pid_t pid, const char* text);

}  // namespace e2e
