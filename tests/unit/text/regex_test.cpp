// SPDX-License-Identifier: GPL-2.0-only
#include "core/text/regex.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace bpftrap {
namespace {

using namespace std::literals;

TEST(Regex, FindsExtendedExpressions) {
  EXPECT_TRUE(Regex("^(gcc|g\\+\\+) .*-O[23]").matches("g++ -c -O2 a.cpp"));
  EXPECT_FALSE(Regex("^gcc ").matches("ccache gcc -c"));
  std::optional<Regex::Match> match = Regex("b+").find("abbbc");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->start, 1U);
  EXPECT_EQ(match->size, 3U);
}

TEST(Regex, TakesAnyBytes) {
  EXPECT_TRUE(Regex("b$").matches("a\0b"sv));
  EXPECT_TRUE(
      Regex("^a.b$").matches("a\xff"
                             "b"));
  EXPECT_FALSE(Regex("x").matches(""));
  EXPECT_TRUE(Regex("^$").matches(""));
}

TEST(Regex, DoesNotReadBeyondTheText) {
  EXPECT_FALSE(Regex("secret").matches("secret"sv.substr(0, 5)));
}

TEST(Regex, AStartOfTheTextIsNotAtALaterByte) {
  EXPECT_TRUE(Regex("^a").find("aa", 0));
  EXPECT_FALSE(Regex("^a").find("aa", 1));
}

TEST(Regex, RefusesMalformedOnes) {
  for (const char* wrong : {"", "(", "[a", "a{2,1}"}) {
    EXPECT_THROW(Regex{wrong}, std::invalid_argument) << wrong;
  }
}

TEST(Regex, CopiesOutliveTheOriginal) {
  auto original = std::make_unique<Regex>("a");
  Regex copy = *original;
  original.reset();
  EXPECT_TRUE(copy.matches("a"));
}

}  // namespace
}  // namespace bpftrap
