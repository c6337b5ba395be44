// SPDX-License-Identifier: GPL-2.0-only
#include "cli/host.h"

#include <ctime>
#include <optional>

#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/resident_set.h"
#include "core/process/reaper.h"
#include "core/trace/sweeper.h"

namespace bpftrap {

std::unique_ptr<Host> Host::open(const OutputOptions& options,
                                 const std::optional<FileOwner>& owner) {
  std::unique_ptr<Host> host(new Host(options));
  host->output_ = open_output(options, host->signals_.fd(), owner);
  return host->output_ ? std::move(host) : nullptr;
}

std::unique_ptr<Host> Host::without_output(const OutputOptions& options) {
  return std::unique_ptr<Host>(new Host(options));
}

void Host::confine(const SandboxNeeds& needs) const {
  release_executable();  // the start is over
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

void Host::print(std::string_view text) {
  Patience patience(signals_);
  output_->buffer() += text;
  output_->drain(patience);
  output_->close();
}

std::size_t Host::terminal_columns() const {
  return options_.table.wide || !output_->terminal() ? 0 : output_->terminal_columns();
}

bool Host::is_roomy() const {
  constexpr std::size_t roomy_columns = 100;
  std::size_t columns = terminal_columns();
  return columns == 0 || columns >= roomy_columns;
}

std::function<std::size_t()> Host::row_width() const {
  if (options_.table.wide || !output_->terminal()) {
    return {};  // do not ask for each row
  }
  return [this] { return terminal_columns(); };
}

int Host::trace(const std::string& command, Tracer::Source source, Tracer::Destination destination,
                RecordHandler& handler, TraceExtras extras) {
  LostCounter& lost = source.lost;
  // Only a trace with PROGRAM sends signals.
  SandboxNeeds needs{.signals_program = extras.program != nullptr,
                     .can_read_maps = [&lost] { return lost.readable(); }};
  std::optional<OlderProcesses> older;
  if (extras.take_older) {
    older.emplace(loop_, "/proc",
                  OlderProcesses::Calls{[sandbox = !options_.no_sandbox] {
                                          if (sandbox) {
                                            enter_sandbox({.reads_files = true});
                                          }
                                        },
                                        std::move(extras.take_older)});
  }
  output_->write_in_background([sandbox = !options_.no_sandbox] {
    if (sandbox) {
      enter_sandbox({});
    }
  });
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
                {command, options_.count, options_.timeout, extras.nap});
  tracer.run();
  return ended_as_asked;
}

}  // namespace bpftrap
