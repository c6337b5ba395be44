// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/environment.h"

#include <unistd.h>

namespace bpftrap {

Environment own_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    result.emplace_back(*entry);
  }
  return result;
}

std::string_view variable_name(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

std::optional<std::string_view> find_variable(const Environment& environment,
                                              std::string_view name) {
  for (std::string_view entry : environment) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

void set_variable(Environment& environment, const std::string& entry) {
  std::erase_if(environment, [&entry](std::string_view other) {
    return variable_name(other) == variable_name(entry);
  });
  environment.push_back(entry);
}

}  // namespace bpftrap
