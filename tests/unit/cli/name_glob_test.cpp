// SPDX-License-Identifier: GPL-2.0-only
#include "cli/name_glob.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

namespace bpftrap {
namespace {

bool matches(const std::string& glob, const std::string& comm) {
  return globs_match(compile_globs({glob}), comm);
}

TEST(NameGlob, AsGlob7) {
  EXPECT_TRUE(matches("make", "make"));
  EXPECT_FALSE(matches("make", "cmake"));
  EXPECT_FALSE(matches("make", "make2"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*", "anything"));
  EXPECT_TRUE(matches("python*", "python3.11"));
  EXPECT_TRUE(matches("*.sh", "nightly.sh"));
  EXPECT_TRUE(matches("kworker/[0-9]*", "kworker/0:1"));
  EXPECT_FALSE(matches("kworker/[!0-9]*", "kworker/0:1"));
  EXPECT_TRUE(matches("[]a]", "]"));
  EXPECT_TRUE(matches("a\\*b", "a*b"));
  EXPECT_FALSE(matches("a\\*b", "axb"));
  EXPECT_FALSE(matches("?", ""));
}

TEST(NameGlob, AnyOfSeveral) {
  bpftrap_globs globs = compile_globs({"make", "cc*", "?d"});
  EXPECT_TRUE(globs_match(globs, "make"));
  EXPECT_TRUE(globs_match(globs, "cc1plus"));
  EXPECT_TRUE(globs_match(globs, "ld"));
  EXPECT_FALSE(globs_match(globs, "makecc"));
  EXPECT_FALSE(globs_match(globs, "d"));
}

// fnmatch() of the C library is the reference.
TEST(NameGlob, AgreesWithFnmatch) {
  std::mt19937 random(1);
  const std::string elements = "ab*?";
  const std::string letters = "abc";
  auto word = [&](const std::string& from, std::size_t most) {
    std::string text(random() % most + 1, ' ');
    for (char& c : text) {
      c = from[random() % from.size()];
    }
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    std::string glob = word(elements, 8);
    std::string comm = word(letters, 10);
    EXPECT_EQ(matches(glob, comm), ::fnmatch(glob.c_str(), comm.c_str(), 0) == 0)
        << glob << " on " << comm;
  }
}

TEST(NameGlob, RefusesWhatMakesNoSense) {
  for (const char* glob : {"", "[a", "[z-a]", "a\\", "[", "[!"}) {
    EXPECT_THROW(compile_globs({glob}), std::invalid_argument) << glob;
  }
  EXPECT_THROW(compile_globs(std::vector<std::string>(40, "a")), std::invalid_argument);
}

std::string refusal(const std::string& glob) {
  try {
    compile_globs({glob});
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return "";
}

TEST(NameGlob, RefusesWhatIsLongerThanEveryName) {
  for (const char* glob : {"fifteen-bytes-x", "*fifteen*bytes-x*", "[a-z]fteen?bytes-xy"}) {
    EXPECT_EQ(refusal(glob), "") << glob;
  }
  EXPECT_EQ(refusal("systemd-journald"),
            "needs more than the maximum of 15 bytes; expected 'systemd-journal'");
  EXPECT_EQ(refusal("[a-z]123456789012345"),
            "needs more than the maximum of 15 bytes; expected '[a-z]12345678901234'");
  EXPECT_EQ(refusal("*systemd-journald"),
            "needs more than the maximum of 15 bytes; expected a shorter pattern");
}

}  // namespace
}  // namespace bpftrap
