// SPDX-License-Identifier: GPL-2.0-only
// bpftrap as process 1 of a pid namespace gets orphans and reaps them, also while it only waits for
// PROGRAM. The oracle is the kernel's list of its children, read from outside.
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "e2e/namespaces.h"
#include "e2e/program_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class OrphanTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (!IsSkipped() && ::geteuid() != 0) {
      GTEST_SKIP() << "only root may create pid namespaces";
    }
    std::string self = std::to_string(::getpid());
    if (!IsSkipped() && ::access(("/proc/" + self + "/task/" + self + "/children").c_str(), F_OK)) {
      GTEST_SKIP() << "this kernel does not list children";
    }
  }

  static std::size_t children_of(pid_t pid) {
    std::string number = std::to_string(pid);
    std::size_t count = 0;
    for (const std::string& line :
         lines_of_file("/proc/" + number + "/task/" + number + "/children")) {
      std::istringstream words(line);
      for (std::string word; words >> word;) {
        ++count;
      }
    }
    return count;
  }
  static void expect_children(pid_t parent, std::size_t count) {
    for (int i = 0; i < 5'000 && children_of(parent) != count; ++i) {
      sleep_for(1ms);
    }
    EXPECT_EQ(children_of(parent), count) << "zombies";
  }

  // bpftrap ARGS... -- PROGRAM, whose orphans end when `await_end` returns.
  void expect_reaped(const Words& args, int status,
                     const std::function<void(Bpftrap&)>& await_end) {
    SCOPED_TRACE(testing::PrintToString(args));
    std::string go = directory_ / "go";
    Bpftrap bpftrap(args + program({"orphans", go, "20", std::string(10'000, 'x')}),
                    {.before_exec = inside_});
    await_end(bpftrap);
    pid_t init = await_process(bpftrap.pid(), {1});
    pid_t pid = await_program(bpftrap.pid());
    note_self(go);
    await_lines(go, 2);
    expect_children(init, 1);
    EXPECT_EQ(::kill(pid, SIGTERM), 0);
    EXPECT_EQ(bpftrap.wait(), status) << bpftrap.errors();
    ::unlink(go.c_str());
  }
  static void await_lines(const std::string& path, std::size_t count) {
    for (int i = 0; i < 60'000 && lines_of_file(path).size() < count; ++i) {
      sleep_for(1ms);
    }
  }
  static bool is_attached(pid_t pid) {
    std::error_code gone;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
      if (std::filesystem::read_symlink(entry, gone).string().find("bpf_link") !=
          std::string::npos) {
        return true;
      }
    }
    return false;
  }
  static void await_stop(Bpftrap& bpftrap) {
    bpftrap.await(
        [&] { return !bpftrap.records().empty() && bpftrap.records().back().kind() == "stop"; });
  }

  std::function<void()> inside_ = enter_pid_namespace;
};

TEST_F(OrphanTest, AreReapedDuringTheTrace) {
  Bpftrap bpftrap({"exit", "--json"}, {.before_exec = [&] {
                    enter_pid_namespace();
                    for (int i = 0; i < 20; ++i) {
                      if (::fork() == 0) {
                        if (::fork() == 0) {
                          sleep_for(300ms);
                        }
                        ::_exit(0);
                      }
                    }
                  }});
  bpftrap.await_start();
  expect_children(await_process(bpftrap.pid(), {1}), 0);
  EXPECT_EQ(bpftrap.stop(), 0);
}

TEST_F(OrphanTest, AreReapedDuringTheTraceOfProgram) {
  expect_reaped({"exec", "--json"}, 128 + SIGTERM, [](Bpftrap& bpftrap) { bpftrap.await_start(); });
}

TEST_F(OrphanTest, AreReapedAfterCountAndTimeout) {
  expect_reaped({"exec", "--json", "--count", "1"}, 128 + SIGTERM, await_stop);
  expect_reaped({"exit", "--json", "--timeout", "50ms"}, 128 + SIGTERM, await_stop);
}

TEST_F(OrphanTest, MayHaveThePidOfProgramAfterItsEnd) {
  Bpftrap bpftrap(Words{"exit", "--json", "--wait-all"} + program({"successor"}),
                  {.before_exec = enter_pid_namespace});
  EXPECT_EQ(bpftrap.wait(), 3) << bpftrap.errors();
  std::vector<Record> exits = traced(bpftrap, "exit");
  auto exit_of_program = std::find_if(
      exits.begin(), exits.end(), [](const Record& exit) { return exit.number("exit_code") == 3; });
  ASSERT_NE(exit_of_program, exits.end());
  std::vector<std::uint64_t> codes;
  for (const Record& exit : exits) {
    if (exit.number("local_pid") == exit_of_program->number("local_pid")) {
      codes.push_back(exit.number("exit_code"));
    }
  }
  EXPECT_EQ(codes, (std::vector<std::uint64_t>{3, 5}));
}

TEST_F(OrphanTest, AreReapedAfterAFailure) {
  // A disk of one page, which the record of PROGRAM fills.
  ScratchDir disk;
  inside_ = [&] {
    enter_pid_namespace();
    if (::mount("tmpfs", disk.path().c_str(), "tmpfs", 0, "size=4k") != 0) {
      ::_exit(77);
    }
  };
  expect_reaped({"exec", "--json", "--output", disk / "records"}, 125, [&](Bpftrap& bpftrap) {
    pid_t init = await_process(bpftrap.pid(), {1});
    await_program(bpftrap.pid());
    for (int i = 0; i < 5'000 && is_attached(init); ++i) {
      sleep_for(1ms);
    }
    EXPECT_FALSE(is_attached(init)) << "the trace has not failed";
  });
}

}  // namespace
}  // namespace e2e
