// SPDX-License-Identifier: GPL-2.0-only
// core/analysis/diff/normal.h: what is removed from command lines, and above all what stays.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/analysis/diff/normal.h"

namespace bpftrap {
namespace {

// Words separated by spaces become arguments.
std::string normalize(const CommandNormalizer& normalizer, std::string words) {
  for (char& c : words) {
    c = c == ' ' ? '\0' : c;
  }
  std::string text = normalizer.normalize(words);
  for (char& c : text) {
    c = c == '\0' ? ' ' : c;
  }
  return text;
}

TEST(CommandNormalizerTest, RemovesWhatChanceChose) {
  CommandNormalizer normalizer("/builds/17/proj");
  normalizer.add_pid(4711);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"kill -9 4711", "kill -9 <pid>"},
      {"cat /tmp/job.4711", "cat /tmp/job.<pid>"},
      {"cat /proc/4711/status", "cat /proc/<pid>/status"},
      {"x 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "x <uuid>"},
      {"x a=1b4e28ba-2fa1-11d2-883f-0016d3cca427.log", "x a=<uuid>.log"},
      {"git show 0123456789ab", "git show <hex>"},
      {"x libfoo-1a2b3c4d5e6f7a8b.rlib 0xdeadbeef0000", "x libfoo-<hex>.rlib <hex>"},
      {"as -o a.o /tmp/ccAbC12x.s", "as -o a.o /tmp/cc<tmp>.s"},
      {"as /tmp/ccabcdef.s /var/tmp/ccABCDEF.o", "as /tmp/cc<tmp>.s /var/tmp/cc<tmp>.o"},
      {"cat /tmp/tmp.aB3dE6gH9k", "cat /tmp/tmp.<tmp>"},
      {"cat /home/me/tmp.abcdefghij/x", "cat /home/me/tmp.<tmp>/x"},
      {"x /tmp/tmpab3_d6z9/y", "x /tmp/tmp<tmp>/y"},
      {"x /tmp/go-build1234567890/b001", "x /tmp/go-build<tmp>/b001"},
      {"x /tmp/rustcaB3dE6/list", "x /tmp/rustc<tmp>/list"},
      {"x --file=/tmp/conf.K3bX9q.ini", "x --file=/tmp/conf.<tmp>.ini"},
      {"cc -I/builds/17/proj/include", "cc -I<dir>/include"},
      {"cd /builds/17/proj", "cd <dir>"},
      {"sh -c cd /builds/17/proj&&make", "sh -c cd <dir>&&make"},
  };
  for (const auto& [before, after] : cases) {
    EXPECT_EQ(normalize(normalizer, before), after);
  }
}

TEST(CommandNormalizerTest, KeepsEverythingElse) {
  CommandNormalizer normalizer("/builds/17/proj");
  normalizer.add_pid(4711);
  for (const char* same : {"gcc -O2 -c a.c",
                           "sleep 5",
                           "head -n 4712",
                           "x 14711",
                           "x 4711a",
                           "x 04711",
                           "x deadbeef123",
                           "x 1b4e28ba-2fa1-11d2-883f",
                           "x /builds/17/project2",
                           "x /builds/17",
                           "cat /tmp/output1",
                           "cat /tmp/Makefile /tmp/README",
                           "cat /tmp/config.txt",
                           "x /tmp/abc",
                           "x /tmp/build-20261126",
                           "x /srv/tmp/ccAbC12x.s",
                           "x /opt/ccAbC12x.s",
                           "make -j8",
                           "curl https://example.com/v1.2.3/file",
                           "x sha256",
                           "x tmp.short",
                           "x /tmp/TESTS2"}) {
    EXPECT_EQ(normalize(normalizer, same), same);
  }
  EXPECT_EQ(normalize(CommandNormalizer("/"), "x /a"), "x /a");
  EXPECT_EQ(CommandNormalizer("").normalize(""), "");
}

TEST(CommandNormalizerTest, PidsCountFromTheirBirthOn) {
  CommandNormalizer normalizer("");
  EXPECT_EQ(normalize(normalizer, "nc 8080"), "nc 8080");
  normalizer.add_pid(8080);
  EXPECT_EQ(normalize(normalizer, "nc 8080"), "nc <pid>");
}

// One of 40 random names looks like a word.
TEST(CommandNormalizerTest, TemporaryNamesThatLookLikeWords) {
  EXPECT_TRUE(differ_by_temporary_name("/tmp/foo.<tmp>.s", "/tmp/foo.abcdef.s"));
  EXPECT_TRUE(differ_by_temporary_name("/tmp/foo.Abcde1", "/tmp/foo.<tmp>"));
  EXPECT_FALSE(differ_by_temporary_name("/tmp/foo.Abcde1", "/tmp/foo.Abcde2"));
  EXPECT_FALSE(differ_by_temporary_name("/tmp/foo.<tmp>", "/tmp/foo.ab"));
  EXPECT_FALSE(differ_by_temporary_name("/tmp/foo.<tmp>", "/tmp/bar.<tmp>"));
  EXPECT_FALSE(differ_by_temporary_name("/tmp/foo.<tmp>", "/tmp/foo/abcdef"));
}

}  // namespace
}  // namespace bpftrap
