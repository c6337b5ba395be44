// SPDX-License-Identifier: GPL-2.0-only
// Makes another process do a system call, as its hijacker would: what does the kernel say?
#pragma once

#include <sys/types.h>

#include <array>

namespace e2e {

// The process has one thread, which waits in a system call. 0 or more, or a negative errno.
// Addresses are those of the other process. Throws Failure where it cannot be traced.
long inject_call(pid_t pid, long number, const std::array<unsigned long, 6>& arguments = {});

// Room in the other process's memory (its stack) for data of a call, filled with `text` and a NUL.
unsigned long inject_text(pid_t pid, const char* text);

}  // namespace e2e
