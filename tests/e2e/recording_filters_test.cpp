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

std::string first_difference(const std::vector<std::string>& shown,
                             const std::vector<std::string>& live) {
  auto [one, other] = std::mismatch(shown.begin(), shown.end(), live.begin(), live.end());
  std::string text;
  text += one != shown.end() ? "shown: " + *one + "\n" : "";
  text += other != live.end() ? "live: " + *other + "\n" : "";
  return text;
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
      // Smaller ring buffers, because there are many.
      live.emplace_back(Words{one.command, "--json", "--buffer-size", "512K"} + one.filters);
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
      words = words + with_events(one);
      std::string name = one.command;
      for (const std::string& word : one.filters) {
        name += " " + word;
      }
      SCOPED_TRACE(name);
      Bpftrap show(words);
      EXPECT_EQ(show.wait(), 0) << show.errors();
      std::vector<std::string> expected = records_of_session(*traced++, session);
      compared_ += expected.size();
      // The session itself executes nothing.
      bool is_empty = one.command == "exec" && !one.filters.empty() && one.filters[0] == "--pid";
      if (one.filters.size() <= 2 && !is_empty) {
        EXPECT_FALSE(expected.empty()) << "the filter lets nothing pass";
      }
      EXPECT_EQ(first_difference(records_of_session(show, session), expected), "");
    }
    EXPECT_GT(compared_, 100U) << "the filters let little pass";
  }

  // The filters for `show`, whose default is that of `exec`.
  static Words with_events(const Case& one) {
    Words words = one.filters;
    if (one.command == "exit") {
      auto has = [&words](const char* option) {
        return std::find(words.begin(), words.end(), option) != words.end();
      };
      bool failed_execs = has("--failed") && !has("--min-duration");
      std::string events = failed_execs ? "exit,failed" : "exit";
      auto list = std::find(words.begin(), words.end(), "--event");
      if (list == words.end()) {
        return words + Words{"--event", events};
      }
      std::string& given = *(list + 1);
      given = given.starts_with("+") ? events + "," + given.substr(1) : given;
    }
    return words;
  }

  void start_recorder() {
    recorder_.emplace(Words{"record", "--output", recording_});
    await_recording(recording_);
  }

  std::string recording_ = directory_ / "recording";
  std::optional<Bpftrap> recorder_;
  std::size_t compared_ = 0;
};

// Every filter of docs/show.md, with values that let some processes of the session pass.
std::vector<Words> all_filters(const std::string& session, const std::string& cgroup) {
  std::vector<Words> filters{
      {"--pid", session},
      {"--tree", session},
      {"--user", storm_user},
      {"--name", "alpha*"},
      {"--exclude-name", "alpha"},
      {"--min-duration", "200ms"},
      {"--failed"},
      {"--event", "fork,exec,failed,exit"},
      {"--event", "+failed"},
      {"--event", "exit"},
      {"--match", "word1|then"},
      {"--exclude-match", "word"},
  };
  if (!cgroup.empty()) {
    filters.push_back({"--cgroup", cgroup});
  }
  return filters;
}

// Only ends have a duration and a status, so other events are refused with these filters.
bool go_together(const Words& one, const Words& other) {
  auto is_of_ends = [](const Words& filter) {
    return filter.front() == "--min-duration" || filter.front() == "--failed";
  };
  auto has_others = [](const Words& filter) {
    return filter.front() == "--event" && filter.back() != "exit";
  };
  return one.front() != other.front() && !(is_of_ends(one) && has_others(other)) &&
         !(is_of_ends(other) && has_others(one));
}

// Each filter with both commands.
std::vector<Case> single_cases(const std::vector<Words>& filters) {
  std::vector<Case> cases{{"exec", {}}, {"exit", {}}};
  for (const Words& filter : filters) {
    cases.push_back({"exec", filter});
    cases.push_back({"exit", filter});
  }
  return cases;
}

// Some of all pairs, because each takes a tracer.
std::vector<Case> pair_cases(const std::vector<Words>& filters, unsigned seed, std::size_t most) {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    for (std::size_t j = i + 1; j < filters.size(); ++j) {
      if (go_together(filters[i], filters[j])) {
        cases.push_back({"exec", filters[i] + filters[j]});
        cases.push_back({"exit", filters[i] + filters[j]});
      }
    }
  }
  std::shuffle(cases.begin(), cases.end(), std::minstd_rand(seed));
  cases.resize(std::min(cases.size(), most));
  return cases;
}

class RecordingPropertyTest : public RecordingFiltersTest {
 protected:
  void SetUp() override {
    RecordingFiltersTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can become other users";
    }
    ::chmod(directory_.path().c_str(), 0755);
    for (const char* name : {"alpha", "beta", "alpha-child"}) {
      link(name);
    }
    std::string root = hierarchy();
    if (!root.empty()) {
      cgroup_ = "/bpftrap-e2e-recording-" + std::to_string(::getpid());
      group_.emplace(root + cgroup_);
    }
  }

  // Compares the cases that `make_cases` returns for the filters.
  template <class MakeCases>
  void compare_session(const MakeCases& make_cases) {
    unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Gate gate;
    start_recorder();
    Child session([&] {
      ::setsid();
      gate.wait();
      return run_session(group_ ? &*group_ : nullptr, seed);
    });
    std::vector<Case> cases = make_cases(all_filters(std::to_string(session.pid()), cgroup_), seed);
    compare(cases, session.pid(), gate, session);
  }

  std::string cgroup_;
  std::optional<Group> group_;
};

TEST_F(RecordingPropertyTest, EachFilter) {
  compare_session(
      [](const std::vector<Words>& filters, unsigned) { return single_cases(filters); });
}

TEST_F(RecordingPropertyTest, PairsOfFilters) {
  constexpr std::size_t tracers = 24;
  compare_session([](const std::vector<Words>& filters, unsigned seed) {
    return pair_cases(filters, seed, tracers);
  });
}

}  // namespace
}  // namespace e2e
