// SPDX-License-Identifier: GPL-2.0-only
// The check of an installed recorder.
#include "core/doctor/recorder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "core/doctor/diagnosis.h"
#include "core/os/unique_fd.h"

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
  facts.recorder->lost.reset();
  EXPECT_TRUE(contains(recorder_check(facts).meaning, "unknown losses"));
  facts.recorder->runs = false;
  EXPECT_TRUE(contains(recorder_check(facts).meaning, "does not run"));
  facts.recorder->first_wall_ns.reset();
  EXPECT_EQ(recorder_check(facts).state, CheckState::ok) << "installed, but not enabled";
  facts.recorder = RecorderFacts{.err = EACCES};
  EXPECT_TRUE(contains(recorder_check(facts).fix, "adm"));
  EXPECT_EQ(recorder_check(facts).state, CheckState::degraded);
}

TEST(DoctorRecorder, RunsIfItHoldsItsLock) {
  std::string locks =
      "1: FLOCK  ADVISORY  WRITE 4711 fe:01:131074 0 EOF\n"
      "2: POSIX  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n";
  EXPECT_TRUE(has_flock(locks, "fe:01", 131074));
  EXPECT_FALSE(has_flock(locks, "fe:02", 131074));
  EXPECT_FALSE(has_flock(locks, "fe:01", 77));
  EXPECT_FALSE(has_flock(locks, "fe:01", 31074));
  EXPECT_FALSE(has_flock("", "", 1));
}

TEST(DoctorRecorder, TellsWhetherItsDirectoryIsLocked) {
  std::string name = testing::TempDir() + "bpftrap-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  UniqueFd directory(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_FALSE(gather_recorder(name)->runs);
  EXPECT_EQ(::flock(directory.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_TRUE(gather_recorder(name)->runs);
  ::rmdir(name.c_str());
  EXPECT_FALSE(gather_recorder(name));
}

}  // namespace
}  // namespace bpftrap
