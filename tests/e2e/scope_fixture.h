// SPDX-License-Identifier: GPL-2.0-only
// Shared by the tests of filters: unwanted processes that run meanwhile, and the check of the
// records.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "e2e/tiny_fixture.h"

namespace e2e {

using Words = std::vector<std::string>;

// Starts, one after the other, processes that no filter of these tests wants. They execute a
// program, or only end, with 0 or 1.
class Noise {
 public:
  Noise()
      : child_([this] {
          for (;;) {
            run_workload({"exit", "1"});
            Child([] { return 1; }).wait();
            run_workload({"nothing"});
            count_[0] = count_[0] + 1;
          }
          return 0;
        }) {}

  std::uint64_t count() { return count_[0]; }

 private:
  SharedWords count_;
  Child child_;
};

class ScopeTest : public TinyProgramTest {
 protected:
  void SetUp() override {
    TinyProgramTest::SetUp();
    if (!IsSkipped()) {
      noise_.emplace();
    }
  }

  // Links this binary under another name. Returns the path.
  std::string link(const std::string& name) {
    std::error_code exists;
    std::filesystem::create_symlink(self_path(), directory_ / name, exists);
    return directory_ / name;
  }
  // For the body of a Child.
  int exec_as(const std::string& name, Words workload) {
    std::string path = link(name);
    workload.insert(workload.begin(), {path, "--workload"});
    return exec_argv(path, workload, "");
  }
  Ended run_as(const std::string& name, const Words& workload) {
    return Child([&] { return exec_as(name, workload); }).wait();
  }

  // Ends bpftrap. Expects one exit and `execs` execs of each wanted process, and no other record.
  void expect_only(Bpftrap& bpftrap, const std::vector<Ended>& wanted, std::size_t execs) {
    const std::uint64_t before = noise_->count();
    for (int i = 0; i < 10'000 && noise_->count() < before + 2; ++i) {
      sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_GE(noise_->count(), before + 2) << "no unwanted process ran meanwhile";
    std::size_t others = 0;
    for (const Record& record : bpftrap.records()) {
      others += record.has("id") && std::none_of(wanted.begin(), wanted.end(),
                                                 [&](const Ended& process) {
                                                   return is_about(record, process);
                                                 })
                    ? 1
                    : 0;
    }
    EXPECT_EQ(others, 0U) << "records of unwanted processes";
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(bpftrap.records_of(wanted[i], "exit").size(), 1U) << "number " << i;
      EXPECT_EQ(bpftrap.records_of(wanted[i], "exec").size(), execs) << "number " << i;
    }
  }

  int be_user_and_exec(unsigned uid) const {
    ::syscall(SYS_setuid, uid);
    return exec_argv(tiny_, {tiny_});
  }

  std::optional<Noise> noise_;
};

}  // namespace e2e
