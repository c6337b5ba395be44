// SPDX-License-Identifier: GPL-2.0-only
// Small files, such as those of /proc.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace bpftrap {

// The content, at most `most` bytes of it. None if it cannot be opened or read.
std::optional<std::string> read_file(const std::string& path,
                                     std::size_t most = std::size_t{1} << 20);

}  // namespace bpftrap
