// SPDX-License-Identifier: GPL-2.0-only
// The new content of an export file, until it is complete. The earlier content stays until then,
// and the file keeps its owner, mode and links. The sandbox of `record` forbids to rename files.
#pragma once

#include <string_view>

#include "core/os/unique_fd.h"

namespace bpftrap {

// Returns a file without a name beside `file`. None if nothing would be lost in `file`, because it
// is empty or no regular file, or if no such file can be created.
UniqueFd open_draft(int file);

// Replaces the content of `file`, which is open with O_APPEND. `name`: of the file in messages.
// Throws Error.
void publish_draft(int draft, int file, std::string_view name);

}  // namespace bpftrap
