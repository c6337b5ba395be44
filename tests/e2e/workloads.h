// SPDX-License-Identifier: GPL-2.0-only
// What this binary does instead of testing when a test executes it anew.
#pragma once

namespace e2e {

// The environment variable that may name the workload instead of `--workload NAME` in argv.
constexpr const char* workload_variable = "BPFTRAP_E2E_WORKLOAD";

// Runs the workload that the command line or the environment asks for and gives its exit code; -1
// where none is asked for.
int run_workload_if_asked(int argc, char** argv);

}  // namespace e2e
