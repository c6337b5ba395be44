// SPDX-License-Identifier: GPL-2.0-only
// Ends a test from a helper: googletest reports the text of an exception as a failure.
#pragma once

#include <stdexcept>

namespace e2e {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace e2e
