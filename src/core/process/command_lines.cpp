// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/command_lines.h"

#include <utility>

#include "core/os/proc.h"

namespace bpftrap {

namespace {

std::size_t size_of(const CommandLine& line) {
  return (line.filename ? line.filename->size() : 0) + (line.args ? line.args->size() : 0);
}

}  // namespace

bool CommandLines::reserve(std::size_t size) {
  std::size_t bytes = size + bytes_of_entry;
  bool is_long = size > long_line;
  if (bytes > most_ - bytes_ || (is_long && bytes > most_ / 2 - long_bytes_)) {
    ++refused_;
    return false;
  }
  bytes_ += bytes;
  long_bytes_ += is_long ? bytes : 0;
  return true;
}

void CommandLines::release(const CommandLine& line) {
  // What has neither took no room: see remember().
  if (line.filename || line.args) {
    std::size_t size = size_of(line);
    bytes_ -= size + bytes_of_entry;
    long_bytes_ -= size > long_line ? size + bytes_of_entry : 0;
  }
}

void CommandLines::forget(const ProcessId& id) {
  if (auto live = live_.find(id); live != live_.end()) {
    release(live->second);
    live_.erase(live);
  }
}

void CommandLines::forget_older(Pid local_pid) {
  if (auto older = older_.find(local_pid); older != older_.end()) {
    release(older->second.line);
    older_.erase(older);
  }
}

void CommandLines::remember(const ExecRecord& record, bool in_any_case) {
  // Of an exec before this one, or of whoever had the pid.
  forget_older(record.process.local_pid);
  auto [live, is_new] = live_.try_emplace(record.process.id);
  release(live->second);
  // All anew: a string that gets shorter would keep its memory.
  CommandLine line;
  line.local_pid = record.process.local_pid;
  std::size_t size = (record.filename ? record.filename->size() : 0) +
                     (record.args ? record.args->bytes.size() : 0);
  bool kept = (record.filename || record.args) && reserve(size);
  if (kept && record.filename) {
    line.filename.emplace(*record.filename);
  }
  if (kept && record.args) {
    line.args.emplace(record.args->bytes);
    line.truncated = record.args->truncated;
  }
  live->second = std::move(line);
  if (!kept && !in_any_case) {
    live_.erase(live);
  }
}

std::optional<CommandLine> CommandLines::take(const Process& process) {
  std::optional<CommandLine> line;
  if (auto older = older_.find(process.local_pid); older != older_.end()) {
    release(older->second.line);
    std::chrono::nanoseconds start(static_cast<std::int64_t>(process.id.start_ns));
    if (older->second.start_ticks == to_proc_ticks(start + start_offset_)) {
      line = std::move(older->second.line);
    }
    // The pid is free again, whoever had it.
    older_.erase(older);
  }
  if (auto live = live_.find(process.id); live != live_.end()) {
    release(live->second);
    line = std::move(live->second);
    live_.erase(live);
  }
  return line;
}

void CommandLines::forget(const GoneRecord& gone) {
  forget_older(gone.local_pid);
  forget(gone.id);
}

void CommandLines::mark_dead() {
  sweep_.mark(live_, [](const auto& entry) { return entry.second.local_pid; });
  sweep_older_.mark(older_, [](const auto& entry) { return entry.first; });
}

void CommandLines::forget_dead() {
  for (const ProcessId& id : sweep_.take_dead()) {
    forget(id);
  }
  for (Pid pid : sweep_older_.take_dead()) {
    forget_older(pid);
  }
  sweep_.set_left(size());
}

void CommandLines::add_older(OlderProcess&& process) {
  forget_older(process.local_pid);
  if (reserve(size_of(process.line))) {
    older_.emplace(process.local_pid, std::move(process));
  }
}

}  // namespace bpftrap
