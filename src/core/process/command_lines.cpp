// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/command_lines.h"

#include <utility>

#include "core/os/proc.h"

namespace bpftrap {

namespace {

template <class Text>
std::size_t size_of(const std::optional<Text>& text) {
  return text ? text->size() : 0;
}

std::size_t size_of(const CommandLine& line) {
  return size_of(line.filename) + size_of(line.exe) + size_of(line.cwd) + size_of(line.args);
}

bool is_empty(const CommandLine& line) {
  return !line.filename && !line.exe && !line.cwd && !line.args;
}

std::optional<std::string> copy(const std::optional<std::string_view>& text) {
  return text ? std::optional<std::string>(*text) : std::nullopt;
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
  // An empty one takes no room: see remember().
  if (!is_empty(line)) {
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

void CommandLines::remember(const ExecRecord& record, bool in_any_case, bool matched) {
  // That entry is of an earlier exec, or of an earlier process with this pid.
  forget_older(record.process.local_pid);
  auto [live, is_new] = live_.try_emplace(record.process.id);
  release(live->second);
  // Use new strings, because a string that gets shorter keeps its memory.
  CommandLine line;
  line.local_pid = record.process.local_pid;
  line.matched = matched || (!is_new && live->second.matched);
  line.exec_id = record.exec_id;
  line.max_rss_bytes = record.max_rss_bytes;
  std::optional<std::string_view> exe = usable_path(record.exe);
  std::optional<std::string_view> cwd = usable_path(record.cwd);
  bool known = record.filename || exe || cwd || record.args;
  std::size_t size = size_of(record.filename) + size_of(exe) + size_of(cwd) +
                     (record.args ? record.args->bytes.size() : 0);
  bool kept = known && reserve(size);
  if (kept) {
    line.filename = copy(record.filename);
    line.exe = copy(exe);
    line.cwd = copy(cwd);
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
    // Remove the entry of any process with this pid, because the pid is free again.
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
