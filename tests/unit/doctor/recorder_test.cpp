// SPDX-License-Identifier: GPL-2.0-only
// The check of an installed recorder.
#include "core/doctor/recorder.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "core/doctor/diagnosis.h"

namespace bpftrap {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Check recorder_check(const Facts& facts) {
  for (Check& check : diagnose(facts)) {
    if (check.name == "recorder") {
      return std::move(check);
    }
  }
  ADD_FAILURE() << "no check";
  return {};
}

TEST(DoctorRecorder, IsCheckedWhereItIsInstalled) {
  Facts facts;
  for (const Check& check : diagnose(facts)) {
    EXPECT_NE(check.name, "recorder");
  }
  facts.recorder =
      RecorderFacts{.runs = true, .first_wall_ns = 0, .last_wall_ns = 1, .bytes = 2048};
  EXPECT_EQ(recorder_check(facts).state, CheckState::ok);
  EXPECT_TRUE(contains(recorder_check(facts).meaning, ", 2.0K, 0 lost"));
  facts.recorder->lost = 3;
  EXPECT_EQ(recorder_check(facts).state, CheckState::degraded);
  facts.recorder->runs = false;
  EXPECT_TRUE(contains(recorder_check(facts).meaning, "does not run"));
  facts.recorder = RecorderFacts{.err = EACCES};
  EXPECT_TRUE(contains(recorder_check(facts).fix, "adm"));
  EXPECT_EQ(recorder_check(facts).state, CheckState::degraded);
}

TEST(DoctorRecorder, RunsIfItHoldsItsLock) {
  std::string locks =
      "1: FLOCK  ADVISORY  WRITE 4711 fe:01:131074 0 EOF\n"
      "2: POSIX  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n";
  EXPECT_TRUE(has_flock(locks, 131074));
  EXPECT_FALSE(has_flock(locks, 77));
  EXPECT_FALSE(has_flock(locks, 31074));
  EXPECT_FALSE(has_flock("", 1));
}

}  // namespace
}  // namespace bpftrap
