// SPDX-License-Identifier: GPL-2.0-only
// The minimum cost of tracing execs and exits, as a program that is compared like any other.
#pragma once

#include <string>

namespace bench {

// Runs a floor of this kind, in a process of its own. Returns the exit code.
// - `empty`: the BPF programs do nothing.
// - `submit`: 200 bytes per event into a ring buffer. The reader polls every 10 ms and is never
// woken.
// - `wake`: the same, but the kernel wakes the reader.
// Prints a line on standard output once the programs are attached, and reads until SIGINT.
int run_floor(const std::string& kind);

}  // namespace bench
