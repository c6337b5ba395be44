// SPDX-License-Identifier: GPL-2.0-only
#include "cli/host.h"

#include <ctime>

#include "core/os/error.h"

namespace bpftrap {

void Host::confine(const SandboxNeeds& needs) const {
  if (!options_.sandbox) {
    return;
  }
  ::tzset();  // reads the time zone's file; the table would do so with its first row
  for (const std::string& line : enter_sandbox(needs)) {
    if (options_.verbose) {
      say(line);
    }
  }
}

}  // namespace bpftrap
