// SPDX-License-Identifier: GPL-2.0-only
// Text of tables, for tests.
#pragma once

#include <string>
#include <vector>

namespace e2e {

// Replaces each character beyond ASCII by one byte, so that positions count characters.
std::string characters(const std::string& utf8);

// The words of a row.
std::vector<std::string> split(const std::string& row);

}  // namespace e2e
