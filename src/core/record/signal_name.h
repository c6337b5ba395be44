// SPDX-License-Identifier: GPL-2.0-only
// Names of signals and errors, as in kill -l and errno(1).
#pragma once

#include <string>

namespace bpftrap {

// Returns a name such as `SIGSEGV`. Real-time signals are `SIGRTMIN+N`, based on glibc's SIGRTMIN
// (34). The two below it are `SIG32` and `SIG33`: the kernel's SIGRTMIN is 32, but glibc reserves
// them.
std::string signal_name(int number);

// Returns a name such as `ENOENT`, or the number in digits if it has no name.
std::string errno_name(int number);

}  // namespace bpftrap
