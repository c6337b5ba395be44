// SPDX-License-Identifier: GPL-2.0-only
// The column ANCESTORS, and levels of --forest.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "e2e/program_fixture.h"
#include "e2e/scope_fixture.h"

namespace e2e {
namespace {

class AncestorsTest : public TinyProgramTest {
 protected:
  // The rows of a table without a header.
  static Words rows(const std::string& output) {
    Words rows;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
      rows.push_back(line);
    }
    return rows;
  }
  static std::string number(std::uint64_t value) { return std::to_string(value); }
  // How this process appears in a chain.
  static std::string test() {
    return self_path().substr(self_path().rfind('/') + 1).substr(0, 15) + "[" +
           number(static_cast<std::uint64_t>(::getpid())) + "]";
  }
  // The column of the row that is about this process.
  static std::string chain_of(const Bpftrap& bpftrap, std::uint64_t pid) {
    for (const std::string& row : rows(bpftrap.output())) {
      std::istringstream words(row);
      std::string first;
      if (words >> first && first == number(pid)) {
        return row.substr(row.find(first) + first.size() + 1);
      }
    }
    return "(no row)";
  }
};

// Forks a child that runs `body`. Its pid goes to pids[at].
pid_t fork_one(SharedWords& pids, std::size_t at, const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  pids[at] = static_cast<std::uint64_t>(child);
  return child;
}

TEST_F(AncestorsTest, IncludeOlderOnesSubshellsAndTheDead) {
  SharedWords pids;
  Gate gate;
  auto is_gone = [](std::uint64_t pid) {
    return ::access(("/proc/" + number(pid)).c_str(), F_OK) != 0;
  };
  auto fourth = [&] {
    while (!is_gone(pids[1])) {
      sleep_for(std::chrono::milliseconds(1));
    }
    return exec_argv(tiny_, {tiny_});
  };
  auto third = [&] {
    ::prctl(PR_SET_NAME, "anc third");
    ::waitpid(fork_one(pids, 3, fourth), nullptr, 0);
    return 0;
  };
  auto second = [&] {
    ::prctl(PR_SET_NAME, "anc-second");
    gate.wait();
    fork_one(pids, 2, third);
    return 0;  // before the fourth executes its program
  };
  // The first two are older than the trace.
  Child first([&] {
    ::prctl(PR_SET_NAME, "anc-first");
    pid_t child = fork_one(pids, 1, second);
    gate.wait();
    ::waitpid(child, nullptr, 0);
    return 0;
  });
  auto name_of_second = [&] { return status_of(static_cast<pid_t>(pids[1]), "Name"); };
  for (int i = 0; i < 10'000 && (pids[1] == 0 || name_of_second() != "anc-second"); ++i) {
    sleep_for(std::chrono::milliseconds(1));
  }
  const std::string root = number(static_cast<std::uint64_t>(first.pid()));
  Bpftrap bpftrap({"exec", "--columns", "PID,ANCESTORS", "--event", "exec", "--tree", root});
  bpftrap.await_start();
  gate.open();
  first.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  std::string chain = chain_of(bpftrap, pids[3]);
  EXPECT_EQ(chain.find("anc third[" + number(pids[2]) + "] < anc-second[" + number(pids[1]) +
                       "] < anc-first[" + root + "] < " + test() + " < "),
            0U)
      << bpftrap.output();
}

TEST_F(AncestorsTest, AreNamedAsTheirProgramsAlsoIfThoseAreFilteredOut) {
  const std::string outer = directory_ / "anc-outer";
  std::filesystem::create_symlink(tiny_, directory_ / "anc-inner");
  std::ofstream(outer) << "#!/bin/sh\n" + (directory_ / "anc-inner") + "\nexit 1\n";
  std::filesystem::permissions(outer, std::filesystem::perms::owner_all);
  for (const char* command : {"exec", "exit"}) {
    Bpftrap bpftrap({command, "--no-header", "--columns", "ANCESTORS,COMMAND", "--name",
                     "anc-inner", "--", "/bin/sh", "-c", outer + "; exit 2"});
    EXPECT_EQ(bpftrap.wait(), 2);
    Words lines = rows(bpftrap.output());
    ASSERT_EQ(lines.size(), command == std::string("exec") ? 2U : 1U) << bpftrap.output();
    for (const std::string& line : lines) {
      EXPECT_EQ(line.find("anc-outer["), 0U) << line;
      EXPECT_NE(line.find("] < sh["), std::string::npos) << line;
      EXPECT_NE(line.find("] < bpftrap[" + number(static_cast<std::uint64_t>(bpftrap.pid())) +
                          "] < " + test()),
                std::string::npos)
          << line;
    }
  }
}

TEST_F(AncestorsTest, AForestIsIndentedByThoseWithRows) {
  // Two subshells that execute nothing, then a shell that does.
  const std::string inner = "/bin/sh -c '" + tiny_ + "; exit 1'";
  const std::string script = "( (" + inner + "; exit 1); exit 1); " + tiny_ + "; exit 2";
  auto levels = [&](const Words& options) {
    Outcome outcome = run_bpftrap(options + Words{"--no-header", "--forest", "--columns", "COMMAND",
                                                  "--", "/bin/sh", "-c", script});
    EXPECT_EQ(outcome.status, 2) << outcome.errors;
    std::vector<std::size_t> found;
    for (const std::string& row : rows(outcome.output)) {
      std::size_t at = row.find("\\_");
      found.push_back(at == std::string::npos ? 0 : (at + 3) / 4);
    }
    return found;
  };
  using Levels = std::vector<std::size_t>;
  EXPECT_EQ(levels({"exec", "--event", "exec"}), (Levels{0, 1, 2, 1}));
  EXPECT_EQ(levels({"exec", "--event", "exec", "--name", "tiny*"}), (Levels{0, 0}))
      << "their ancestors have no rows";
  EXPECT_EQ(levels({"exit"}), (Levels{4, 3, 2, 1, 1, 0})) << "subshells have rows, too";
  EXPECT_EQ(levels({"exec", "--event", "fork,exec"}), (Levels{0, 1, 2, 3, 3, 4, 4, 1, 1}));
}

}  // namespace
}  // namespace e2e
