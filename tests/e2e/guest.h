// SPDX-License-Identifier: GPL-2.0-only
// Tests that would harm the machine as a whole. They run only in a virtual machine.
#pragma once

#include <gtest/gtest.h>

namespace e2e {

// True in a guest of tests/vm/, whose init sets an environment variable.
bool in_guest();

// True if the running kernel is older than MAJOR.MINOR.
bool kernel_is_older_than(int major, int minor);

// True in a guest since 7.0: recursion misses of ended threads are counted as lost there, and an
// emulated machine has many. Records that a test expects must nevertheless be there.
bool lost_is_a_maximum();

// Like TEST_F() with a fixture, but the test exists only in a guest. A skipped test would count as
// a failure in CI. Call this before main().
template <class Test>
bool register_for_guests(const char* suite, const char* name, const char* file, int line) {
  if (in_guest()) {
    testing::RegisterTest(suite, name, nullptr, nullptr, file, line,
                          []() -> testing::Test* { return new Test; });
  }
  return in_guest();
}

}  // namespace e2e
