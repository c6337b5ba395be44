// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/account_file.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

TEST(AccountFile, IdsAreDecimalAndLeaveOutTheLargestNumber) {
  EXPECT_EQ(parse_account_id("0"), 0U);
  EXPECT_EQ(parse_account_id("4294967294"), 4294967294U);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "4294967295", "4294967296"}) {
    EXPECT_EQ(parse_account_id(text), std::nullopt) << text;
  }
}

TEST(AccountFile, NisLines) {
  EXPECT_TRUE(is_nis_line("+"));
  EXPECT_TRUE(is_nis_line("-user"));
  EXPECT_FALSE(is_nis_line("user+"));
  EXPECT_FALSE(is_nis_line(""));
}

TEST(AccountFile, NullWhereThereIsNone) {
  EXPECT_FALSE(open_account_file("/no/such/file"));
}

}  // namespace
}  // namespace bpftrap
