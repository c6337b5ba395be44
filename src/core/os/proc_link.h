// SPDX-License-Identifier: GPL-2.0-only
// Links of /proc/PID to files: exe, cwd, root (proc(5)).
#pragma once

#include <optional>
#include <string>

namespace bpftrap {

// Reads a symbolic link. None if it cannot be read, or leads farther than PATH_MAX.
std::optional<std::string> read_link(const std::string& path);

// Converts the target of a link of /proc/PID to a path as that process sees it: without the root
// directory of the process at its front, and without ` (deleted)` at its end. None if it is outside
// that root.
std::optional<std::string> within_root(std::optional<std::string> target, const std::string& root);

}  // namespace bpftrap
