// SPDX-License-Identifier: GPL-2.0-only
// What ends a test from within a helper: googletest reports an exception's text as a failure.
#pragma once

#include <stdexcept>

namespace e2e {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace e2e
