// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/clock.h"

#include <cstdlib>

namespace bpftrap {

const WallClock& fixed_clock() {
  static const WallClock clock({[] { return BootTime(std::chrono::seconds(1000)); },
                                [] { return WallTime{1'769'860'800'000'000'000}; }});
  return clock;
}

}  // namespace bpftrap

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  ::setenv("TZ", "UTC", 1);
  return 0;
}
