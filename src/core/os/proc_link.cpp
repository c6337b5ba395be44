// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc_link.h"

#include <unistd.h>

#include <climits>
#include <string_view>

namespace bpftrap {

std::optional<std::string> read_link(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0 || static_cast<std::size_t>(size) == target.size()) {
    return std::nullopt;
  }
  target.resize(static_cast<std::size_t>(size));
  return target;
}

std::optional<std::string> within_root(std::optional<std::string> target, const std::string& root) {
  constexpr std::string_view mark = " (deleted)";
  if (!target || !target->starts_with('/')) {
    return std::nullopt;
  }
  if (target->ends_with(mark)) {
    target->resize(target->size() - mark.size());
  }
  // A memfd is in no directory.
  if (root == "/" || target->starts_with("/memfd:")) {
    return target;
  }
  if (*target == root) {
    return "/";
  }
  if (!target->starts_with(root) || (*target)[root.size()] != '/') {
    return std::nullopt;
  }
  return target->substr(root.size());
}

}  // namespace bpftrap
