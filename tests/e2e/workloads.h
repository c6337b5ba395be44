// SPDX-License-Identifier: GPL-2.0-only
// Workloads: this binary runs one of them instead of the tests if a test executes it.
#pragma once

namespace e2e {

// An environment variable that can name the workload instead of `--workload NAME` in argv.
constexpr const char* workload_variable = "BPFTRAP_E2E_WORKLOAD";

// Runs the workload that the command line or the environment names. Returns its exit code, or -1 if
// there is none.
int run_workload_if_asked(int argc, char** argv);

}  // namespace e2e
