// SPDX-License-Identifier: GPL-2.0-only
// Names of signals and errors, as kill -l and errno(1) write them.
#pragma once

#include <string>

namespace bpftrap {

// `SIGSEGV`; real-time signals as the kernel numbers them: `SIGRTMIN` (32 to the kernel, 34 where
// glibc keeps two for itself) is ambiguous, so they are `SIGRTMIN+N` with glibc's SIGRTMIN, and
// `SIG32`, `SIG33` for those below it.
std::string signal_name(int number);

// `ENOENT`; the number in digits where it has no name.
std::string errno_name(int number);

}  // namespace bpftrap
