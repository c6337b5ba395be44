// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/environments.h"

#include <utility>

namespace bpftrap {

void Environments::add(const EnvironmentRecord& record) {
  bool is_new = !waiting_.contains(record.process);
  if ((is_new && waiting_.size() == most) || record.strings.size() > bytes_most - bytes_) {
    waiting_.clear();
    bytes_ = 0;
  }
  waiting_[record.process].append(record.strings);
  bytes_ += record.strings.size();
}

std::optional<std::string> Environments::take(const ExecRecord& record) {
  std::string strings;
  if (auto found = waiting_.find(record.process.id); found != waiting_.end()) {
    strings = std::move(found->second);
    bytes_ -= strings.size();
    waiting_.erase(found);
  }
  return strings.size() == record.env_size ? std::optional(std::move(strings)) : std::nullopt;
}

}  // namespace bpftrap
