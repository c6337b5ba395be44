// SPDX-License-Identifier: GPL-2.0-only
// Many processes at once, on every CPU, that nobody else's can be mistaken for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "e2e/child.h"

namespace e2e {

// A user id of this test run alone: with `--user` only its storm is traced, so that the counts of
// reported and lost records add up to the number of started processes, also while another run has
// a storm. Nobody assigns ids from this range (systemd's UIDS-GIDS.md).
extern const unsigned storm_uid;
extern const std::string storm_user;

// The smallest program: no libc, ends at once with exit code 7. Written into `directory`; the path.
std::string write_tiny_program(const ScratchDir& directory);

// What a storm did, counted by those that made it.
struct Storm {
  std::uint64_t started = 0;
  std::uint64_t wrong_status = 0;   // by wait4()
  std::chrono::nanoseconds cpu{0};  // of the processes and of those that started them
};

struct StormOptions {
  std::uint64_t processes = 0;
  std::string program;                 // empty: they end without executing anything
  std::vector<std::string> args = {};  // argv after the program's name
  int exit_code = 7;                   // of the program; any other is a wrong status
  std::uint64_t parents = 0;           // one a CPU, so many; 0: as many as there are CPUs
  std::uint64_t pause_every = 0;       // a parent sleeps 10 ms after so many; 0: never
};

// Starts the processes, by one parent a CPU, each pinned to its own, and waits for all. They become
// storm_uid and execute the program; the parents stay who the test is.
Storm make_storm(const StormOptions& options);
Storm make_storm(std::uint64_t processes, const std::string& program,
                 std::uint64_t pause_every = 0);

}  // namespace e2e
