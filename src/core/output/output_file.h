// SPDX-License-Identifier: GPL-2.0-only
// Opens the file of --output. In a shared directory it refuses links, files and FIFOs of other
// users. A signal ends the wait for the reader of a FIFO.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/os/error.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

// How long to wait for the reader of a FIFO: until `interrupt_fd` becomes readable, maximum
// `timeout`.
struct WaitForReader {
  int interrupt_fd = -1;  // -1: nothing interrupts
  std::optional<std::chrono::nanoseconds> timeout;
};

struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

// The content that a file has already.
enum class OldContent {
  drop,
  append_to,  // its unfinished last line is completed
  keep,       // as it is, for now
};

// Opens the file for writing (O_APPEND, O_NONBLOCK, O_CLOEXEC), or creates it with mode 0600,
// because command lines hold secrets. O_APPEND lets logrotate truncate the file, and others write
// to it. A new file belongs to `owner`, if given; an existing one keeps its owner. If the file
// system has no owners (vfat), prints a message and goes on.
//
// In a directory that is sticky and writable by others, anywhere in the path, it follows only links
// of root or this user. It opens only files and FIFOs of root, this user or `owner`. These are the
// rules of fs.protected_symlinks, protected_regular and protected_fifos, whether they are set or
// not.
//
// `option` is what messages name. Prints a message when a FIFO has no reader yet. Returns no
// descriptor, and prints a message, if the wait was interrupted. Throws Error.
UniqueFd open_output_file(const std::string& path, const WaitForReader& wait = {},
                          const std::optional<FileOwner>& owner = {},
                          OldContent content = OldContent::drop,
                          std::string_view option = "--output");

// Creates the file for writing, in the same way. A file that exists is renamed to `PATH.old` if
// `may_replace` returns true for both, and removed if it is empty. Any other one is refused: `kind`
// is what may be replaced. Throws Error.
UniqueFd create_output_file(const std::string& path, const std::optional<FileOwner>& owner,
                            const std::function<bool(int fd)>& may_replace, std::string_view kind);

}  // namespace bpftrap
