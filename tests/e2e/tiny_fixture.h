// SPDX-License-Identifier: GPL-2.0-only
// A tracing test with the smallest program.
#pragma once

#include <string>

#include "e2e/bpftrap.h"
#include "e2e/storm.h"

namespace e2e {

class TinyProgramTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    if (!IsSkipped()) {
      tiny_ = write_tiny_program(directory_);
    }
  }

  ScratchDir directory_;
  std::string tiny_;
};

}  // namespace e2e
