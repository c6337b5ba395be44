// SPDX-License-Identifier: GPL-2.0-only
// What is not mounted, and limits that are too small: commands give the explanation of `doctor`.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using SurroundingsTest = TracingTest;

// The fix that doctor names for the check.
std::string fix_of(const std::string& check, const Bpftrap::Setup& setup) {
  Bpftrap doctor({"doctor", "--json"}, setup);
  while (doctor.read_for(std::chrono::milliseconds(100))) {
  }
  for (const std::string& line : doctor.lines()) {
    Record record = Record::parse(line);
    if (record.text("name") == check) {
      return record.text("state") == "missing" ? record.text("fix") : "";
    }
  }
  return "no such check";
}

std::function<void()> unmount(const char* place) {
  return [place] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::umount2(place, MNT_DETACH) != 0) {
      ::_exit(124);
    }
  };
}

TEST_F(SurroundingsTest, WithoutAMount) {
  for (auto [place, check] : {std::pair("/proc", "/proc"), std::pair("/sys", "kernel BTF")}) {
    SCOPED_TRACE(place);
    Bpftrap::Setup setup{.before_exec = unmount(place)};
    std::string fix = fix_of(check, setup);
    EXPECT_EQ(fix.rfind("sudo mount -t ", 0), 0U) << fix;
    for (const char* command : {"exec", "exit"}) {
      Outcome outcome = run_bpftrap({command, "--timeout", "1"}, setup);
      EXPECT_EQ(outcome.status, 1);
      EXPECT_EQ(outcome.output, "");
      EXPECT_NE(outcome.errors.find(fix), std::string::npos) << outcome.errors;
    }
  }
}

TEST_F(SurroundingsTest, HelloWithoutSysfs) {
  Outcome outcome = run_bpftrap({"hello", "--timeout", "1"}, {.before_exec = unmount("/sys")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("sudo mount -t sysfs sysfs /sys"), std::string::npos)
      << outcome.errors;
}

TEST_F(SurroundingsTest, EachLimitOfOpenFiles) {
  bool worked = false;
  int refused = 0;
  for (rlim_t most = 4; most <= 64; most += most < 40 ? 1 : 8) {
    SCOPED_TRACE(most);
    Bpftrap::Setup setup{.before_exec = [most] {
      rlimit limit{most, most};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }};
    Outcome outcome = run_bpftrap({"exec", "--json", "--timeout", "1ms", "--event", "+failed", "-g",
                                   "/", "-t", std::to_string(::getpid()), "-o", "/dev/null"},
                                  setup);
    EXPECT_TRUE(!worked || outcome.status == 0) << "a lower limit was enough";
    worked = outcome.status == 0;
    if (!worked) {
      ++refused;
      EXPECT_EQ(outcome.status, 1);
      EXPECT_NE(outcome.errors.find("RLIMIT_NOFILE allows " + std::to_string(most)),
                std::string::npos)
          << outcome.errors;
      EXPECT_NE(outcome.errors.find("ulimit -n 1024"), std::string::npos) << outcome.errors;
    }
    if (!worked && (most == 22 || most == 32)) {
      std::string fix = fix_of("open files", setup);
      EXPECT_FALSE(fix.empty()) << "doctor finds nothing missing";
      EXPECT_NE(outcome.errors.find(fix), std::string::npos) << fix;
    }
  }
  EXPECT_GE(refused, 22 - 4) << "doctor was asked";
  EXPECT_TRUE(worked) << "as many as doctor asks for";
}

}  // namespace
}  // namespace e2e
