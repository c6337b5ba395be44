// SPDX-License-Identifier: GPL-2.0-only
// Many processes at once on every CPU, distinguishable from all others by their user.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "e2e/child.h"

namespace e2e {

// A user id that only this test run uses. With `--user` only its storm is traced, so reported and
// lost records add up to the started processes, even during the storm of another run. Systems do
// not assign ids from this range (systemd's UIDS-GIDS.md).
extern const unsigned storm_uid;
extern const std::string storm_user;

// Writes the smallest program into `directory`: no libc, exit code 7. Returns its path.
std::string write_tiny_program(const ScratchDir& directory);

// Results of a storm, counted by the parents of its processes.
struct Storm {
  std::uint64_t started = 0;
  std::uint64_t wrong_status = 0;   // according to wait4()
  std::chrono::nanoseconds cpu{0};  // of the processes and of their parents
};

struct StormOptions {
  std::uint64_t processes = 0;
  std::string program;                 // empty: the processes execute nothing
  std::vector<std::string> args = {};  // argv behind the program's name
  int exit_code = 7;                   // expected from the program; any other counts as wrong
  std::uint64_t parents = 0;           // number of parents, each on its own CPU; 0: one per CPU
  std::uint64_t pause_every = 0;       // a parent sleeps 10 ms after this many processes; 0: never
};

// Starts the processes from one parent per CPU, each pinned to its own, and waits for all of them.
// They become storm_uid and execute the program. The parents keep the user of the test.
Storm make_storm(const StormOptions& options);
Storm make_storm(std::uint64_t processes, const std::string& program,
                 std::uint64_t pause_every = 0);

}  // namespace e2e
