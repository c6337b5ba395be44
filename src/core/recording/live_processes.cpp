// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/live_processes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/recording/format.h"
#include "core/recording/recorded.h"

namespace bpftrap {

LiveProcesses::Entry* LiveProcesses::entry_of(const ProcessId& id, Pid local_pid) {
  auto found = processes_.find(id);
  if (found == processes_.end()) {
    if (bytes_ + bytes_of_entry > most_) {
      return nullptr;
    }
    found = processes_.emplace(id, Entry{local_pid, {}, {}}).first;
    bytes_ += bytes_of_entry;
  }
  return &found->second;
}

void LiveProcesses::keep(std::string& text, std::span<const std::byte> record) {
  bytes_ -= text.size();
  text.clear();
  if (bytes_ + record.size() <= most_) {
    text.assign(reinterpret_cast<const char*>(record.data()), record.size());
    text.shrink_to_fit();
    bytes_ += text.size();
  }
}

void LiveProcesses::forked(const ProcessId& id, Pid local_pid, std::span<const std::byte> record) {
  if (Entry* entry = entry_of(id, local_pid)) {
    keep(entry->birth, record);
  }
}

void LiveProcesses::executed(const ProcessId& id, Pid local_pid,
                             std::span<const std::byte> record) {
  if (Entry* entry = entry_of(id, local_pid)) {
    keep(entry->exec, record);
  }
}

bool LiveProcesses::forget(const ProcessId& id) {
  auto found = processes_.find(id);
  if (found == processes_.end()) {
    return false;
  }
  bytes_ -= found->second.bytes();
  processes_.erase(found);
  return true;
}

void LiveProcesses::forget_older(Pid local_pid) {
  if (auto found = older_.find(local_pid); found != older_.end()) {
    bytes_ -= found->second.size() + bytes_of_entry;
    older_.erase(found);
  }
}

void LiveProcesses::ended(const ProcessId& id, Pid local_pid) {
  forget(id);
  // Remove the entry of any process with this pid, because the pid is free again. An older process
  // that has executed a program has an entry of both kinds.
  forget_older(local_pid);
}

void LiveProcesses::add_older(Pid local_pid, std::string record) {
  forget_older(local_pid);
  std::size_t size = record.size() + bytes_of_entry;
  if (bytes_ + size <= most_) {
    bytes_ += size;
    older_.emplace(local_pid, std::move(record));
  }
}

void LiveProcesses::for_each(const std::function<void(std::string_view)>& use) const {
  for (const auto& [pid, record] : older_) {
    use(record);
  }
  std::vector<std::pair<ProcessId, const Entry*>> sorted;
  sorted.reserve(processes_.size());
  for (const auto& [id, entry] : processes_) {
    sorted.emplace_back(id, &entry);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return one.first.start_ns < other.first.start_ns;
  });
  for (const auto& [id, entry] : sorted) {
    if (!entry->birth.empty()) {
      use(with_kind(std::as_bytes(std::span(entry->birth)), recorded_birth));
    }
  }
  for (const auto& [id, entry] : sorted) {
    if (!entry->exec.empty()) {
      use(with_kind(std::as_bytes(std::span(entry->exec)), recorded_last_exec));
    }
  }
}

void LiveProcesses::mark_dead() {
  sweep_.mark(processes_, [](const auto& entry) { return entry.second.local_pid; });
  sweep_older_.mark(older_, [](const auto& entry) { return entry.first; });
}

void LiveProcesses::forget_dead() {
  for (const ProcessId& id : sweep_.take_dead()) {
    forget(id);
  }
  for (Pid pid : sweep_older_.take_dead()) {
    forget_older(pid);
  }
  sweep_.set_left(size());
}

}  // namespace bpftrap
