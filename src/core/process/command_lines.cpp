// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/command_lines.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "bpf/process.event.h"
#include "core/os/file.h"
#include "core/os/proc.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

// The path given to execve, which the kernel leaves on the program's stack: AT_EXECFN of
// fs/binfmt_elf.c create_elf_tables().
std::optional<std::string> read_execfn(const std::string& directory) {
  std::optional<std::string> auxv = read_file(directory + "/auxv");
  if (!auxv) {
    return std::nullopt;
  }
  Elf64_auxv_t entry;
  for (std::size_t at = 0; at + sizeof entry <= auxv->size(); at += sizeof entry) {
    std::memcpy(&entry, auxv->data() + at, sizeof entry);
    if (entry.a_type != AT_EXECFN) {
      continue;
    }
    UniqueFd memory(::open((directory + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    std::string path(BPFTRAP_PATH_SIZE, '\0');
    ssize_t count = memory ? ::pread(memory.get(), path.data(), path.size(),
                                     static_cast<off_t>(entry.a_un.a_val))
                           : -1;
    std::size_t end = count > 0 ? path.find('\0') : std::string::npos;
    if (end == std::string::npos || end >= static_cast<std::size_t>(count)) {
      return std::nullopt;
    }
    path.resize(end);
    return path;
  }
  return std::nullopt;
}

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

bool CommandLines::read_older(const std::string& proc) {
  if (!older_walk_) {
    older_walk_.emplace(proc);
  }
  for (int i = 0; i < slice; ++i) {
    if (!older_walk_->next()) {
      older_walk_.reset();
      return false;
    }
    read_one(older_walk_->directory(), static_cast<Pid>(older_walk_->pid()));
  }
  return true;
}

void CommandLines::read_one(const std::string& directory, Pid pid) {
  std::optional<ProcStat> stat = read_proc_stat(directory);
  if (!stat || (stat->flags & (ProcStat::never_executed | ProcStat::kernel_thread)) != 0) {
    return;
  }
  std::optional<std::string> args = read_file(directory + "/cmdline", BPFTRAP_ARGS_SIZE + 1);
  if (!args || args->empty()) {
    return;
  }
  Older older{stat->start_ticks, {}};
  older.line.filename = read_execfn(directory);
  if (args->size() > BPFTRAP_ARGS_SIZE) {
    args->resize(BPFTRAP_ARGS_SIZE);
    older.line.truncated = true;
  } else if (args->back() != '\0') {
    args->push_back('\0');  // a title that the process gave itself
  }
  older.line.args = std::move(args);
  forget_older(pid);
  if (reserve(size_of(older.line))) {
    older_.emplace(pid, std::move(older));
  }
}

}  // namespace bpftrap
