// SPDX-License-Identifier: GPL-2.0-only
// The meaning of exit codes and signals, in words. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bpftrap {

struct StatusSurroundings {
  std::string_view program = {};    // name of the last program
  bool of_service_manager = false;  // a child of systemd
  bool in_container = false;
};

// Returns the meaning that this program, or else convention, gives to an exit code. Empty: none.
std::string exit_code_meaning(int code, const StatusSurroundings& around);

// The signal of which an exit code tells by convention: 137 is SIGKILL.
std::optional<int> signal_of_exit_code(int code);

// Returns why the kernel itself sends the signal. Empty: it does not.
std::string_view kernel_signal_meaning(int signal);

// Returns the purpose with which processes send the signal. Empty: it has none.
std::string_view sent_signal_meaning(int signal);

}  // namespace bpftrap
