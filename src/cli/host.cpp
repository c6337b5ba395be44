// SPDX-License-Identifier: GPL-2.0-only
#include "cli/host.h"

#include <ctime>
#include <optional>

#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/idle_work.h"
#include "core/process/reaper.h"
#include "core/trace/sweeper.h"

namespace bpftrap {

std::unique_ptr<Host> Host::open(const OutputOptions& options,
                                 const std::optional<FileOwner>& owner) {
  std::unique_ptr<Host> host(new Host(options));
  host->output_ = open_output(options, host->signals_.fd(), owner);
  return host->output_ ? std::move(host) : nullptr;
}

void Host::confine(const SandboxNeeds& needs) const {
  if (options_.no_sandbox) {
    return;
  }
  ::tzset();  // reads the time zone file now, because the sandbox forbids it later
  for (const std::string& line : enter_sandbox(needs)) {
    if (options_.verbose) {
      say(line);
    }
  }
}

int Host::trace(const std::string& command, Tracer::Source source, Tracer::Destination destination,
                RecordHandler& handler, TraceExtras extras) {
  LostCounter& lost = source.lost;
  // Only a trace with PROGRAM sends signals.
  SandboxNeeds needs{extras.program != nullptr, static_cast<bool>(extras.read_files),
                     [&lost] { return lost.readable(); }};
  std::optional<IdleWork> reading;
  if (extras.read_files) {
    reading.emplace(loop_, std::move(extras.read_files), [this, &needs] {
      needs.reads_files = false;
      confine(needs);
    });
  }
  std::optional<Reaper> reaper;
  if (extras.program == nullptr) {  // which reaps, too
    reaper.emplace(loop_, nullptr);
  }
  std::optional<Sweeper> sweeper;
  if (!extras.sweeps.empty()) {
    sweeper.emplace(loop_, source.ring, std::move(extras.sweeps));
  }
  Tracer tracer({loop_, signals_, std::move(source), handler, destination, extras.observer,
                 extras.program, [this, &needs] { confine(needs); }},
                {command, options_.count, options_.timeout});
  tracer.run();
  return ended_as_asked;
}

}  // namespace bpftrap
