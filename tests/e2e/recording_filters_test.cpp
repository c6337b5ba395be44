// SPDX-License-Identifier: GPL-2.0-only
// `show` of an unfiltered recording prints what `exec` and `exit` print live with the same filters.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <random>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/recording.h"
#include "e2e/scope_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

// Values that two tracers measure at slightly different moments, and those that only `show` adds.
constexpr const char* measured[] = {"ts",
                                    "boot_ns",
                                    "duration_ns",
                                    "cpu_user_ns",
                                    "cpu_sys_ns",
                                    "cpu_wait_ns",
                                    "host",
                                    "last_signal_age_ns",
                                    "parent_blocked",
                                    "boot_id",
                                    "io_read_bytes",
                                    "io_write_bytes",
                                    "voluntary_switches",
                                    "involuntary_switches"};

// Removes a key whose value is a number, a boolean, or a string without quotes and commas.
void remove_key(std::string& line, const std::string& key) {
  std::size_t begin = line.find("\"" + key + "\":");
  if (begin == std::string::npos) {
    return;
  }
  std::size_t end = line.find_first_of(",}", begin);
  begin -= line[end] == '}' ? 1 : 0;
  line.erase(begin, end - begin + (line[end] == '}' ? 0 : 1));
}

// The records of processes of a session, in any order.
std::vector<std::string> records_of_session(const Bpftrap& bpftrap, pid_t session) {
  std::vector<std::string> lines;
  std::string mark = "\"session_id\":" + std::to_string(session) + ",";
  for (std::string line : bpftrap.lines()) {
    if (line.find(mark) != std::string::npos) {
      for (const char* key : measured) {
        remove_key(line, key);
      }
      lines.push_back(line);
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

struct Case {
  std::string command;  // live
  Words filters;
};

class RecordingFiltersTest : public ScopeTest {
 protected:
  // A session of processes with random names, users, cgroups, statuses and lifetimes.
  int run_session(const Group* group, unsigned seed) {
    std::minstd_rand random(seed);
    auto chance = [&random](unsigned of) { return random() % of == 0; };
    for (int i = 0; i < 40; ++i) {
      bool other_name = chance(2), as_user = chance(3), in_group = chance(3), twice = chance(4);
      bool fails = chance(3), nothing = chance(6), sleeps = chance(8), fails_exec = chance(5);
      bool grandchild = chance(5), killed = chance(8);
      Child([&, i] {
        if (group != nullptr && in_group) {
          group->enter();
        }
        if (grandchild) {
          Child([this] { return exec_as("alpha-child", {"nothing"}); }).wait();
        }
        if (as_user) {
          ::syscall(SYS_setuid, storm_uid);
        }
        if (fails_exec) {
          exec_argv("/nonexistent/program", {"program", std::to_string(i)});
        }
        if (sleeps) {
          sleep_for(250ms);
        }
        if (killed) {
          ::raise(SIGTERM);
        }
        if (nothing) {
          return fails ? 1 : 0;
        }
        const char* name = other_name ? "alpha" : "beta";
        return twice ? exec_as(name, {"then", "exit", fails ? "1" : "0"})
                     : exec_as(name, {"exit", fails ? "1" : "0", "word" + std::to_string(i)});
      }).wait();
    }
    return 0;
  }

  // Live tracers of all cases beside a recorder, over one session.
  void compare(const std::vector<Case>& cases, pid_t session, Gate& gate, Child& root) {
    std::list<Bpftrap> live;
    for (const Case& one : cases) {
      live.emplace_back(Words{one.command, "--json"} + one.filters);
    }
    for (Bpftrap& bpftrap : live) {
      bpftrap.await_start();
    }
    gate.open();
    EXPECT_EQ(root.wait().status, 0);
    sleep_for(50ms);
    for (Bpftrap& bpftrap : live) {
      // --tree and --pid have ended by themselves, if their processes have.
      EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
    }
    EXPECT_EQ(recorder_->stop(), 0) << recorder_->errors();
    auto traced = live.begin();
    for (const Case& one : cases) {
      Words words{"show", recording_, "--json"};
      if (one.command == "exit" &&
          std::find(one.filters.begin(), one.filters.end(), "--event") == one.filters.end()) {
        words = words + Words{"--event", "exit"};
      }
      words = words + one.filters;
      std::string name = one.command;
      for (const std::string& word : one.filters) {
        name += " " + word;
      }
      SCOPED_TRACE(name);
      Bpftrap show(words);
      EXPECT_EQ(show.wait(), 0) << show.errors();
      std::vector<std::string> expected = records_of_session(*traced++, session);
      EXPECT_FALSE(expected.empty()) << "the filter lets nothing pass";
      EXPECT_EQ(records_of_session(show, session), expected);
    }
  }

  void start_recorder() {
    recorder_.emplace(Words{"record", "--output", recording_});
    await_recording(recording_);
  }

  std::string recording_ = directory_ / "recording";
  std::optional<Bpftrap> recorder_;
};

TEST_F(RecordingFiltersTest, ShowFiltersAsTheKernelDoes) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become other users";
  }
  ::chmod(directory_.path().c_str(), 0755);
  for (const char* name : {"alpha", "beta", "alpha-child"}) {
    link(name);
  }
  std::string root = hierarchy();
  std::string path = "/bpftrap-e2e-recording-" + std::to_string(::getpid());
  std::optional<Group> group;
  if (!root.empty()) {
    group.emplace(root + path);
  }
  unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Gate gate;
  start_recorder();
  Child session([&] {
    ::setsid();
    gate.wait();
    return run_session(group ? &*group : nullptr, seed);
  });
  std::string tree = std::to_string(session.pid());
  std::vector<Case> cases{
      {"exec", {}},
      {"exit", {}},
      {"exec", {"-n", "alpha*"}},
      {"exit", {"-n", "alpha*"}},
      {"exec", {"--exclude-name", "alpha"}},
      {"exec", {"-u", storm_user}},
      {"exec", {"--failed"}},
      {"exit", {"-d", "200ms"}},
      {"exec", {"--event", "fork,exec,failed,exit"}},
      {"exec", {"--tree", tree}},
      {"exit", {"--pid", tree}},
      {"exec", {"--match", "word1"}},
      {"exit", {"--exclude-match", "word"}},
      {"exec", {"--tree", tree, "--event", "fork,exit"}},
      {"exec", {"-n", "alpha*", "--failed"}},
      {"exit", {"-u", storm_user, "-n", "beta"}},
      {"exec", {"-u", storm_user, "--event", "+failed"}},
      {"exit", {"--exclude-name", "beta", "--failed", "--event", "exit"}},
  };
  if (group) {
    cases.push_back({"exec", {"-g", path}});
    cases.push_back({"exit", {"-g", path, "--failed", "--event", "exit"}});
  }
  compare(cases, session.pid(), gate, session);
}

}  // namespace
}  // namespace e2e
