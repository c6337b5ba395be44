// SPDX-License-Identifier: GPL-2.0-only
#include "cli/host.h"

#include <ctime>

#include "core/os/error.h"

namespace bpftrap {

std::unique_ptr<Host> Host::open(const OutputOptions& options) {
  std::unique_ptr<Host> host(new Host(options));
  host->output_ = open_output(options, host->signals_.fd());
  return host->output_ ? std::move(host) : nullptr;
}

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
