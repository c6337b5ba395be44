// SPDX-License-Identifier: GPL-2.0-only
// Parts of paths, as bytes: the files need not exist.
#pragma once

#include <string_view>

namespace bpftrap {

// The part behind the last slash.
inline std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace bpftrap
