// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/command_label.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bpftrap {
namespace {

// Words are separated by spaces here, because none contains one.
std::string args(std::string words) {
  std::replace(words.begin(), words.end(), ' ', '\0');
  return words + '\0';
}

TEST(CommandLabels, TellCompilationsApartByTheSourceFile) {
  CommandLabels labels;
  std::string one = args("/usr/bin/g++ -O2 -Wall -MF d/one.cpp.o.d -o d/one.cpp.o -c src/one.cpp");
  labels.add(one);
  labels.add(args("/usr/bin/g++ -O2 -Wall -MF d/two.cpp.o.d -o d/two.cpp.o -c src/two.cpp"));
  labels.add(args("/usr/bin/g++ -O2 -Wall -MF d/six.cpp.o.d -o d/six.cpp.o -c src/six.cpp"));
  EXPECT_EQ(labels.label(one, 20), "g++ … src/one.cpp");
  EXPECT_EQ(labels.label(one, 80), "g++ … d/one.cpp.o.d … d/one.cpp.o … src/one.cpp");
}

TEST(CommandLabels, ShowARepeatedWordOnce) {
  CommandLabels labels;
  labels.add(args("cc1 one.c -quiet -dumpbase one.c"));
  labels.add(args("cc1 two.c -quiet -dumpbase two.c"));
  EXPECT_EQ(labels.label(args("cc1 one.c -quiet -dumpbase one.c"), 80), "cc1 one.c …");
}

TEST(CommandLabels, ADifferentFlagTellsApart) {
  CommandLabels labels;
  labels.add(args("test --all --slow"));
  labels.add(args("test --all --fast"));
  EXPECT_EQ(labels.label(args("test --all --slow"), 80), "test … --slow");
}

TEST(CommandLabels, KeepTheWordsOfACommandWithoutSiblings) {
  CommandLabels labels;
  labels.add(args("make -j8 all"));
  labels.add(args("ninja install"));
  EXPECT_EQ(labels.label(args("make -j8 all"), 80), "make -j8 all");
  EXPECT_EQ(labels.label(args("make -j8 all"), 10), "make -j8 …");
  EXPECT_EQ(labels.label(args("unknown -x"), 80), "unknown -x");
}

TEST(CommandLabels, EqualCommandsKeepTheName) {
  CommandLabels labels;
  labels.add(args("true"));
  labels.add(args("true"));
  labels.add(args("ls -l"));
  labels.add(args("ls -l"));
  EXPECT_EQ(labels.label(args("true"), 80), "true");
  EXPECT_EQ(labels.label(args("ls -l"), 80), "ls …");
}

TEST(CommandLabels, AreSafeForATerminalAndAShell) {
  CommandLabels labels;
  using namespace std::literals;
  EXPECT_EQ(labels.label("/a b/\x1b[5m\0x y\0"sv, 80), "$'\\x1b[5m' 'x y'");
  EXPECT_EQ(labels.label("", 80), "''");
  EXPECT_EQ(labels.label("a\0\0"sv, 80), "a ''");
}

TEST(CommandLabels, AWordCountsOncePerCommand) {
  CommandLabels labels;
  labels.add(args("cat x x x"));
  labels.add(args("cat y"));
  EXPECT_EQ(labels.label(args("cat x x x"), 80), "cat x …") << "half of the commands have it";
}

}  // namespace
}  // namespace bpftrap
