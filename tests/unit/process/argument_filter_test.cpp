// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/argument_filter.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

using namespace std::literals;

Arguments args(std::string_view bytes) {
  return {bytes, false};
}

TEST(ArgumentFilter, WantsEverythingWithoutExpressions) {
  EXPECT_TRUE(ArgumentFilter().wants(args(""), "x"));
  EXPECT_TRUE(ArgumentFilter().wants(std::nullopt, ""));
}

TEST(ArgumentFilter, JoinsArgumentsBySpaces) {
  ArgumentFilter filter;
  filter.require(Regex("^git commit -m a b$"));
  EXPECT_TRUE(filter.wants(args("git\0commit\0-m\0a b\0"sv), "git"));
  EXPECT_FALSE(filter.wants(args("git\0commit\0-m\0a b\0\0"sv), "git")) << "an empty argument";
}

TEST(ArgumentFilter, UsesTheNameWithoutArguments) {
  ArgumentFilter filter;
  filter.require(Regex("^kworker"));
  EXPECT_TRUE(filter.wants(std::nullopt, "kworker/0:1"));
  EXPECT_FALSE(filter.wants(args("sh\0"sv), "kworker/0:1"));
}

TEST(ArgumentFilter, OneRequiredIsEnoughAndOneExcludedIsTooMuch) {
  ArgumentFilter filter;
  filter.require(Regex("a"));
  filter.require(Regex("b"));
  filter.exclude(Regex("c"));
  filter.exclude(Regex("d"));
  EXPECT_TRUE(filter.wants(args("a"sv), ""));
  EXPECT_TRUE(filter.wants(args("b"sv), ""));
  EXPECT_FALSE(filter.wants(args("ad"sv), ""));
  EXPECT_FALSE(filter.wants(args("x"sv), ""));
}

std::string redacted(const std::vector<std::string>& expressions, std::string_view bytes) {
  Redaction redaction;
  for (const std::string& expression : expressions) {
    redaction.add(Regex(expression));
  }
  std::string out;
  redaction.append(out, bytes);
  return out;
}

TEST(Redaction, ReplacesEachMatchInAString) {
  EXPECT_EQ(redacted({"token=[^&]*"}, "curl\0u?token=1&x=2&token=3\0"sv),
            "curl\0u?***&x=2&***\0"sv);
  EXPECT_EQ(redacted({"[0-9]+"}, "a1b22c"sv), "a***b***c");
}

TEST(Redaction, AMatchDoesNotSpanStrings) {
  EXPECT_EQ(redacted({"a.*"}, "xab\0cd\0"sv), "x***\0cd\0"sv);
  EXPECT_EQ(redacted({"^c"}, "c\0c\0c"sv), "***\0***\0***"sv);
}

TEST(Redaction, TakesTheLeftmostThenTheLongestMatch) {
  EXPECT_EQ(redacted({"bc", "ab"}, "abc"sv), "***c");
  EXPECT_EQ(redacted({"ab", "abc"}, "abcd"sv), "***d");
}

TEST(Redaction, EmptyMatchesStay) {
  EXPECT_EQ(redacted({"x*"}, "abxxc\0\0"sv), "ab***c\0\0"sv);
  EXPECT_EQ(redacted({"$"}, "ab"sv), "ab");
}

}  // namespace
}  // namespace bpftrap
