// SPDX-License-Identifier: GPL-2.0-only
// Opening the file of --output: nobody else's link, file or FIFO in a shared directory, and no
// waiting that cannot be ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "core/os/error.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

// A FIFO that nobody reads yet is waited for until `interrupt_fd` gets readable, for `timeout` at
// most.
struct WaitForReader {
  int interrupt_fd = -1;  // -1: nothing interrupts
  std::optional<std::chrono::nanoseconds> timeout;
};

struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Opens for writing (O_APPEND, O_NONBLOCK, O_CLOEXEC) and empties the file, or creates it with mode
// 0600, because command lines hold secrets. O_APPEND lets logrotate truncate the file, and others
// write to it. With `append` it keeps the content, and ends its last line if that has no end. A
// file that it creates belongs to `owner`, if given; one that exists keeps its owner. If the file
// system has no owners (vfat), it says so and goes on. In a directory with the sticky bit, which
// many may write into, no symbolic link is followed, be it at whatever place of the path, and no
// file or FIFO is opened, unless root, this user or (except for links) `owner` owns it (as
// fs.protected_symlinks, protected_regular and protected_fifos have it, set or not). Throws Error.
// Says on standard error that a FIFO waits for its reader. No descriptor: the wait was interrupted,
// which it has said.
UniqueFd open_output_file(const std::string& path, const WaitForReader& wait = {},
                          const std::optional<FileOwner>& owner = {}, bool append = false);

}  // namespace bpftrap
