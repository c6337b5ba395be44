// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/sink.h"

#include <fmt/format.h>

#include "core/os/error.h"

namespace bpftrap {

void say_lost(const LostRecord& lost) {
  std::string what = lost.count == 0   ? "an unknown number of records was"
                     : lost.count == 1 ? "1 record was"
                                       : fmt::format("{} records were", lost.count);
  say(what + (lost.dropped ? " dropped before being read: a larger --keep may help"
                           : " lost: a larger --buffer-size or a filter may help"));
}

}  // namespace bpftrap
