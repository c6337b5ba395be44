// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/environments.h"

#include <utility>

namespace bpftrap {

void Environments::add(const EnvironmentRecord& record) {
  if (waiting_.size() == most && !waiting_.contains(record.process)) {
    waiting_.clear();
  }
  waiting_[record.process].append(record.strings);
}

std::optional<std::string> Environments::take(const ExecRecord& record) {
  std::string strings;
  if (auto found = waiting_.find(record.process.id); found != waiting_.end()) {
    strings = std::move(found->second);
    waiting_.erase(found);
  }
  return strings.size() == record.env_size ? std::optional(std::move(strings)) : std::nullopt;
}

}  // namespace bpftrap
