// SPDX-License-Identifier: GPL-2.0-only
// Shared by the tests of --cgroup.
#pragma once

#include <string>

#include "e2e/cgroup.h"
#include "e2e/scope_fixture.h"

namespace e2e {

class CgroupScopeTest : public ScopeTest {
 protected:
  void SetUp() override {
    root_ = hierarchy();
    if (root_.empty()) {
      GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
    }
    ScopeTest::SetUp();
  }

  std::string root_;
};

}  // namespace e2e
