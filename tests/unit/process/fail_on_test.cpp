// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/fail_on.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

namespace bpftrap {
namespace {

using namespace std::literals;

FailOn looking_for(std::string name) {
  return FailOn([name = std::move(name)](std::string_view base) { return base == name; });
}

ExecRecord exec_of(std::string_view filename, std::string_view exe,
                   ProcessFile::Kind kind = ProcessFile::Kind::path) {
  ExecRecord record;
  record.process.id = {12, 34};
  record.process.local_pid = 12;
  record.process.comm = "curl";
  record.filename = filename;
  record.exe = {kind, exe};
  record.args = Arguments{"curl\0a b\0"sv};
  return record;
}

TEST(FailOn, BaseNamesOfBothPathsCount) {
  using Kind = ProcessFile::Kind;
  struct {
    std::string_view filename, exe;
    Kind kind;
    bool matches;
  } const cases[] = {
      {"/usr/bin/curl", "/usr/bin/x", Kind::path, true},
      {"curl", "/usr/bin/x", Kind::path, true},
      {"./x", "/usr/bin/curl", Kind::path, true},
      {"./x", "/outside/curl", Kind::outside, true},
      {"./x", "curl", Kind::anonymous, false},
      {"/curl/x", "/usr/bin/curl-7", Kind::path, false},
      {"/usr/bin/curl/", "", Kind::too_long, false},
  };
  for (const auto& one : cases) {
    FailOn fail_on = looking_for("curl");
    EXPECT_EQ(fail_on.is_first_match(exec_of(one.filename, one.exe, one.kind)), one.matches)
        << one.filename << " " << one.exe;
  }
}

TEST(FailOn, OnlyTheFirstSuccessfulExecIsReported) {
  FailOn fail_on = looking_for("curl");
  ExecRecord failed = exec_of("/usr/bin/curl", "/bin/sh");
  failed.error = ENOENT;
  EXPECT_FALSE(fail_on.is_first_match(failed));
  EXPECT_TRUE(fail_on.is_first_match(exec_of("/usr/bin/curl", "")));
  EXPECT_FALSE(fail_on.is_first_match(exec_of("/usr/bin/curl", "")));
}

TEST(FailOn, ReportsTheMatchWithItsAncestors) {
  FailOn fail_on = looking_for("curl");
  ExecRecord match = exec_of("/x", "/opt/my\n/curl");
  std::array ancestors{Ancestor{"s\x1bh", 11, 11}, Ancestor{"make", 10, 0}};
  match.process.ancestors.known = ancestors;
  ASSERT_TRUE(fail_on.is_first_match(match));
  testing::internal::CaptureStderr();
  fail_on.report(match);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bpftrap: --fail-on: curl[12] executed $'/opt/my\\n/curl': curl 'a b'\n"
            "bpftrap: its ancestors: s\\x1bh[11] < make[-]\n");
}

TEST(FailOn, AMatchDecidesTheStatus) {
  FailOn none = looking_for("curl");
  testing::internal::CaptureStderr();
  EXPECT_EQ(none.status(3, false, true), 3);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  EXPECT_EQ(none.status(3, true, true), 125);
  EXPECT_EQ(none.status(3, false, false), 125);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bpftrap: --fail-on: no match, but records were lost; try a larger --buffer-size\n"
            "bpftrap: --fail-on: no match, but the trace ended before PROGRAM; trace PROGRAM to "
            "its end\n");
  FailOn found = looking_for("curl");
  found.is_first_match(exec_of("curl", ""));
  testing::internal::CaptureStderr();
  EXPECT_EQ(found.status(3, true, false), 99);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bpftrap: status 99, because curl[12] was executed (--fail-on)\n");
}

}  // namespace
}  // namespace bpftrap
