// SPDX-License-Identifier: GPL-2.0-only
// The least that tracing execs and exits costs, as a program like any other that is compared.
#pragma once

#include <string>

namespace bench {

// `kind`: «empty», programs that do nothing; «submit», 200 bytes an event into a ring buffer, whose
// reader looks every 10 ms and is never woken; «wake», the same, but the kernel wakes the reader.
// Attaches, says so by a line on standard output, reads until SIGINT. For a process of its own; its
// exit code.
int run_floor(const std::string& kind);

}  // namespace bench
