// SPDX-License-Identifier: GPL-2.0-only
// A file that a process refers to: its executable, its current directory, an open file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bpftrap {

struct ProcessFile {
  enum class Kind {
    none,     // there is none, or it was not requested
    path,     // `name` is a path from the root directory of the process
    outside,  // outside that root: `name` is a path from the top of the mounts
    too_long,
    pipe,  // `inode` is its number
    socket,
    anonymous,  // an anonymous inode: `name` is its name
  };

  Kind kind = Kind::none;
  std::string_view name;
  std::uint64_t inode = 0;
  bool deleted = false;  // it has no name any more
};

// Returns the path if it is one that the process can use. A path outside its root would mean
// another file there.
std::optional<std::string_view> usable_path(const ProcessFile& file);

// Returns true if the file was removed; none if nothing is known of it.
std::optional<bool> is_deleted(const ProcessFile& file);

// Returns the same as readlink(2) of /proc/PID/fd/N: `/dev/pts/3`, `pipe:[4711]`, `/tmp/x
// (deleted)`.
std::optional<std::string> link_text(const ProcessFile& file);

}  // namespace bpftrap
