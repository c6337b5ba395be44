// SPDX-License-Identifier: GPL-2.0-only
// The version of bpftrap, as `--version` and the `start` record say it.
#pragma once

namespace bpftrap {

const char* version();

}  // namespace bpftrap
