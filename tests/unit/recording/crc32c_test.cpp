// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/crc32c.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// The check value of the catalogue of CRC algorithms, and RFC 3720, B.4.
TEST(Crc32c, KnownValues) {
  std::string zeros(32, '\0');
  std::string ones(32, '\xff');
  for (auto crc : {crc32c, crc32c_by_table}) {
    EXPECT_EQ(crc(0, {}), 0U);
    EXPECT_EQ(crc(0, bytes("123456789")), 0xe3069283U);
    EXPECT_EQ(crc(0, bytes(zeros)), 0x8a9136aaU);
    EXPECT_EQ(crc(0, bytes(ones)), 0x62a8ab43U);
  }
}

TEST(Crc32c, TableAndInstructionAgreeInPartsOfAnyLength) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += static_cast<char>(i * 37);
  }
  std::uint32_t whole = crc32c(0, bytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string_view view = text;
    std::uint32_t first = crc32c(0, bytes(view.substr(0, cut)));
    EXPECT_EQ(crc32c(first, bytes(view.substr(cut))), whole) << cut;
    EXPECT_EQ(crc32c_by_table(first, bytes(view.substr(cut))), whole) << cut;
  }
}

}  // namespace
}  // namespace bpftrap
