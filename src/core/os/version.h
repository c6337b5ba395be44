// SPDX-License-Identifier: GPL-2.0-only
// The version of bpftrap, for `--version` and the `start` record.
#pragma once

namespace bpftrap {

const char* version();

}  // namespace bpftrap
