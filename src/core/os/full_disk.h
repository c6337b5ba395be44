// SPDX-License-Identifier: GPL-2.0-only
// Which errors of a write mean that there is no more room.
#pragma once

#include <cerrno>

namespace bpftrap {

// EFBIG: RLIMIT_FSIZE, or the largest file of the file system.
constexpr bool is_full_disk(int err) {
  return err == ENOSPC || err == EDQUOT || err == EFBIG;
}

}  // namespace bpftrap
