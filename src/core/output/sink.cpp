// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/sink.h"

#include <fmt/format.h>

#include "core/os/error.h"

namespace bpftrap {

void say_lost(const LostRecord& lost) {
  say(fmt::format("{} lost: a larger --buffer-size or a filter may help",
                  lost.count == 1 ? "1 record was" : fmt::format("{} records were", lost.count)));
}

}  // namespace bpftrap
