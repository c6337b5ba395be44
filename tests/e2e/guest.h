// SPDX-License-Identifier: GPL-2.0-only
// Tests that would harm the machine as a whole, and run in a machine of their own only.
#pragma once

#include <gtest/gtest.h>

namespace e2e {

// Whether this is a guest of tests/vm/: its init says so by the environment.
bool in_guest();

// As TEST_F() of a fixture, but elsewhere than in a guest there is no such test. So it is not
// skipped there either, which a run for CI would count as a failure. Call it before main().
template <class Test>
bool register_for_guests(const char* suite, const char* name, const char* file, int line) {
  if (in_guest()) {
    testing::RegisterTest(suite, name, nullptr, nullptr, file, line,
                          []() -> testing::Test* { return new Test; });
  }
  return in_guest();
}

}  // namespace e2e
