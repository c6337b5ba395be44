// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/table_text.h"

#include <iterator>
#include <sstream>

namespace e2e {

std::string characters(const std::string& utf8) {
  std::string all;
  for (char c : utf8) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      all += (c & 0x80) != 0 ? '?' : c;
    }
  }
  return all;
}

std::vector<std::string> split(const std::string& row) {
  std::istringstream stream(row);
  return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace e2e
