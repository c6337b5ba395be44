// SPDX-License-Identifier: GPL-2.0-only
// `why slow`: workloads whose critical path is known by construction. Each sleep and each spin has
// a time of its own, by which the path names it.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <random>

#include "e2e/recording.h"

namespace e2e {
namespace {

// A part of the path: the end of a command line, and the time without waiting for a CPU.
struct Step {
  std::string command;
  double seconds = 0;
};
using Path = std::vector<Step>;

Step sleep_of(const std::string& seconds) {
  return {"sleep " + seconds, std::stod(seconds)};
}

struct Explained {
  std::optional<Record> run = {};
  std::vector<Record> segments = {};
};

// `sleep 0.1`, and `spin 100` of a workload. Empty for shells and the like.
std::string step_of(const Record& segment) {
  if (segment.is_null("args")) {
    return {};
  }
  Words args = segment.strings("args");
  if (args.size() == 2 && args[0].ends_with("sleep")) {
    return "sleep " + args[1];
  }
  std::string step;
  for (std::size_t i = 2; i < args.size() && args[1] == "--workload"; ++i) {
    step += (step.empty() ? "" : " ") + args[i];
  }
  return step;
}

class WhySlowTest : public TracingTest {
 protected:
  static Explained explained(const std::string& output) {
    Explained result;
    std::size_t begin = 0;
    while (begin < output.size()) {
      std::size_t end = output.find('\n', begin);
      std::string line = output.substr(begin, end - begin);
      EXPECT_EQ(Schema::get().loaded() ? Schema::get().violation_of_line(line) : "", "") << line;
      Record record = Record::parse(line);
      if (begin == 0) {
        EXPECT_EQ(record.kind(), "run");
        result.run = record;
      } else {
        EXPECT_EQ(record.kind(), "segment");
        result.segments.push_back(record);
      }
      begin = end + 1;
    }
    return result;
  }

  // The segments have no gap, and their parts add up.
  static void expect_tiles(const Explained& explained) {
    ASSERT_FALSE(explained.segments.empty());
    std::uint64_t sum = 0;
    std::uint64_t at = explained.segments.front().number("start_boot_ns");
    for (const Record& segment : explained.segments) {
      EXPECT_EQ(segment.number("start_boot_ns"), at);
      EXPECT_EQ(
          segment.number("cpu_ns") + segment.number("cpu_wait_ns") + segment.number("blocked_ns"),
          segment.number("duration_ns"));
      sum += segment.number("duration_ns");
      at += segment.number("duration_ns");
    }
    ASSERT_TRUE(explained.run.has_value());
    EXPECT_EQ(sum, explained.run->number("wall_ns"));
  }

  // How the path differs from the known one, or "". Steps of less than 10 ms are not compared.
  static std::string difference(const Explained& explained, const Path& known) {
    Path found;
    double off = 0;
    double whole = 0;
    for (const Record& segment : explained.segments) {
      std::string step = step_of(segment);
      auto took = static_cast<double>(segment.number("duration_ns")) / 1e9;
      // The test cannot know how long a step waits for a CPU.
      double spent = took - static_cast<double>(segment.number("cpu_wait_ns")) / 1e9;
      whole += took;
      if (step.empty() || spent < 0.01) {
        off += spent;
      } else if (!found.empty() && found.back().command == step) {
        found.back().seconds += spent;
      } else {
        found.push_back({step, spent});
      }
    }
    std::string text;
    bool same = found.size() == known.size();
    for (std::size_t i = 0; i < found.size(); ++i) {
      text += found[i].command + ", ";
      same = same && found[i].command == known[i].command;
      off += same ? std::abs(found[i].seconds - known[i].seconds) : 0;
    }
    // Starting a process takes some milliseconds.
    double allowed = 0.05 * whole + 0.01 * static_cast<double>(known.size() + 2);
    return !same ? "the path is " + text
           : off > allowed
               ? "the path is off by " + std::to_string(off) + " of " + std::to_string(whole) + " s"
               : "";
  }

  // A machine that is busy with other things may run the steps in another order: three tries.
  void expect_path(const Words& program, const Path& known) {
    std::string wrong;
    for (int i = 0; i < 3; ++i) {
      Outcome outcome = run_bpftrap(Words{"why", "slow", "--json", "--"} + program);
      ASSERT_EQ(outcome.status, 0) << outcome.errors;
      Explained path = explained(outcome.output);
      expect_tiles(path);
      wrong = difference(path, known);
      if (wrong.empty() || HasFailure()) {
        return;
      }
    }
    ADD_FAILURE() << wrong;
  }
  void expect_script(const std::string& script, const Path& known) {
    SCOPED_TRACE(script);
    expect_path({"/bin/sh", "-c", script}, known);
  }

  static bool has(const std::string& tool) {
    for (const char* directory : {"/usr/bin/", "/bin/"}) {
      if (::access((directory + tool).c_str(), X_OK) == 0) {
        return true;
      }
    }
    return false;
  }
  static std::string workload(const std::string& words) {
    return self_path() + " --workload " + words;
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }

  ScratchDir directory_;
};

TEST_F(WhySlowTest, ChainOfSleepsAndSpins) {
  expect_script("sleep 0.21; " + workload("spin 150") + "; sleep 0.11; :",
                {sleep_of("0.21"), {"spin 150", 0.15}, sleep_of("0.11")});
}

TEST_F(WhySlowTest, FanWaitsForTheLast) {
  expect_script("sleep 0.12 & sleep 0.31 & sleep 0.22 & wait", {sleep_of("0.31")});
  expect_script(workload("spin 100") + " & sleep 0.41 & wait; sleep 0.13 & wait",
                {sleep_of("0.41"), sleep_of("0.13")});
}

TEST_F(WhySlowTest, BackgroundThatNobodyWaitsFor) {
  expect_script("sleep 0.52 & sleep 0.23; :", {sleep_of("0.23")});
}

TEST_F(WhySlowTest, SubshellsAndSubstitutions) {
  expect_script("(sleep 0.13; (sleep 0.14; :)); x=$(sleep 0.15; echo); : $x",
                {sleep_of("0.13"), sleep_of("0.14"), sleep_of("0.15")});
}

TEST_F(WhySlowTest, Pipeline) {
  expect_script("sleep 0.21 | (sleep 0.34; :) | sleep 0.12; sleep 0.13; :",
                {sleep_of("0.34"), sleep_of("0.13")});
}

TEST_F(WhySlowTest, DoubleForkIsNotAwaited) {
  expect_script("(sleep 0.61 & sleep 0.11; :); sleep 0.22; :",
                {sleep_of("0.11"), sleep_of("0.22")});
}

TEST_F(WhySlowTest, BusyParent) {
  expect_script(workload("busy-parent 100 300") + "; sleep 0.11; :",
                {{"busy-parent 100 300", 0.3}, sleep_of("0.11")});
  expect_script(workload("busy-parent 400 50") + "; sleep 0.12; :",
                {{"sleep 400", 0.4}, sleep_of("0.12")});
}

TEST_F(WhySlowTest, ParentWithSeveralThreads) {
  expect_script(workload("threaded-parent 400 50") + "; sleep 0.12; :",
                {{"sleep 400", 0.4}, sleep_of("0.12")});
  // The kernel's total of a process counts all its threads.
  Outcome outcome = run_bpftrap(Words{"why", "slow", "--json", "--", self_path(), "--workload",
                                      "threaded-parent", "50", "50"});
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  Explained path = explained(outcome.output);
  int estimated = 0;
  for (const Record& segment : path.segments) {
    if (segment.text("id") == path.segments.front().text("id")) {
      EXPECT_TRUE(segment.flag("estimated"));
      ++estimated;
    }
  }
  EXPECT_GE(estimated, 2);
}

TEST_F(WhySlowTest, Make) {
  if (!has("make")) {
    GTEST_SKIP() << "make is not installed";
  }
  std::string makefile = write("Makefile",
                               "all: a c\n\tsleep 0.14\n"
                               "a:\n\tsleep 0.31\nb:\n\tsleep 0.12\nc: b\n\tsleep 0.33\n");
  expect_path({"env", "PATH=/usr/bin:/bin", "make", "-j2", "-f", makefile},
              {sleep_of("0.12"), sleep_of("0.33"), sleep_of("0.14")});
  std::string outer = write("outer", "all:\n\t$(MAKE) -j3 -f " + makefile + "\n\tsleep 0.15\n");
  expect_path({"env", "PATH=/usr/bin:/bin", "make", "-f", outer},
              {sleep_of("0.12"), sleep_of("0.33"), sleep_of("0.14"), sleep_of("0.15")});
}

TEST_F(WhySlowTest, Ninja) {
  if (!has("ninja")) {
    GTEST_SKIP() << "ninja is not installed";
  }
  std::string file = write("build.ninja",
                           "rule sleep\n command = sleep $time\n"
                           "build a: sleep\n time = 0.31\n"
                           "build b: sleep\n time = 0.12\n"
                           "build c: sleep b\n time = 0.33\n");
  expect_path({"ninja", "-C", directory_.path(), "-j2", "a", "c"},
              {sleep_of("0.12"), sleep_of("0.33")});
}

TEST_F(WhySlowTest, Xargs) {
  if (!has("xargs")) {
    GTEST_SKIP() << "xargs is not installed";
  }
  std::string list = write("list", "0.31\n0.12\n0.33\n");
  expect_path({"xargs", "-a", list, "-P2", "-n1", "sleep"}, {sleep_of("0.12"), sleep_of("0.33")});
}

// A shell script of sequences, parallel parts and subshells, and its path.
struct Plan {
  std::string script;
  Path path;
  double seconds = 0;
};

Plan make_plan(std::mt19937& random, int depth, int& leaves) {
  // Parallel parts must differ by this.
  constexpr double distinct = 0.05;
  Plan plan;
  int kind = depth == 0 ? 0 : static_cast<int>(random() % 4);
  if (kind == 0) {
    plan.seconds = 0.02 + 0.01 * static_cast<double>(random() % 9);
    // A number that no other leaf has.
    std::string time = std::to_string(plan.seconds + 1e-6 * ++leaves);
    return {"sleep " + time, {{"sleep " + time, plan.seconds}}, plan.seconds};
  }
  std::vector<Plan> parts;
  for (std::size_t i = 2 + random() % 2; i > 0; --i) {
    parts.push_back(make_plan(random, depth - 1, leaves));
  }
  if (kind == 1) {
    std::sort(parts.begin(), parts.end(),
              [](const Plan& a, const Plan& b) { return a.seconds > b.seconds; });
    if (parts[0].seconds - parts[1].seconds < distinct) {
      std::string time = std::to_string(parts[1].seconds + distinct + 1e-6 * ++leaves);
      parts[0] = {"sleep " + time, {sleep_of(time)}, std::stod(time)};
    }
    plan.path = parts[0].path;
    plan.seconds = parts[0].seconds;
    std::shuffle(parts.begin(), parts.end(), random);
  }
  for (const Plan& part : parts) {
    plan.script += part.script + (kind == 1 ? " & " : "; ");
    if (kind != 1) {
      plan.path.insert(plan.path.end(), part.path.begin(), part.path.end());
      plan.seconds += part.seconds;
    }
  }
  plan.script = "(" + plan.script + (kind == 1 ? "wait" : ":") + ")";
  return plan;
}

TEST_F(WhySlowTest, RandomPlans) {
  constexpr int count = 50;
  std::mt19937 random(20);
  std::vector<Plan> plans;
  std::string all;
  int leaves = 0;
  for (int i = 0; i < count; ++i) {
    plans.push_back(make_plan(random, 2, leaves));
    all += "/bin/sh " + write("plan" + std::to_string(i), plans.back().script + "\n:\n") + "\n";
  }
  std::string recording = directory_ / "recording";
  Outcome outcome = run_bpftrap({"record", "-o", recording, "--", "/bin/sh", write("all", all)});
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  Bpftrap shown({"show", recording, "--json", "--event", "exec"}, {.may_lose = true});
  ASSERT_EQ(shown.wait(), 0) << shown.errors();
  int wrong = 0;
  std::string first;
  int explained_plans = 0;
  for (const Record& record : shown.records()) {
    std::string file = record.kind() == "exec" ? record.strings("args").back() : "";
    std::size_t at = file.rfind("/plan");
    if (at == std::string::npos) {
      continue;
    }
    const Plan& plan = plans[std::stoul(file.substr(at + 5))];
    Outcome why = run_bpftrap({"why", "slow", recording, "--tree", record.text("id"), "--json"});
    ASSERT_EQ(why.status, 0) << why.errors;
    Explained path = explained(why.output);
    expect_tiles(path);
    std::string fault = difference(path, plan.path);
    wrong += fault.empty() ? 0 : 1;
    first = first.empty() && !fault.empty() ? plan.script + ": " + fault : first;
    ++explained_plans;
  }
  EXPECT_EQ(explained_plans, count);
  // A busy machine may run the steps of one in another order.
  EXPECT_LE(wrong, 1) << first;
}

TEST_F(WhySlowTest, StatusAndOutputAreThoseOfExec) {
  Outcome outcome = run_bpftrap({"why", "slow", "--", "/bin/sh", "-c", "echo said; exit 3"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.errors.find("said"), std::string::npos) << outcome.errors;
  EXPECT_EQ(outcome.output.find("said\n"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find(" took "), std::string::npos) << outcome.output;
  EXPECT_EQ(run_bpftrap({"why", "slow", "--", "/nonexistent"}).status, 127);
  EXPECT_EQ(run_bpftrap({"why", "slow", "--tree", "1", "--", "/bin/true"}).status, 125);
  EXPECT_EQ(run_bpftrap({"why"}).status, 2);
  EXPECT_EQ(run_bpftrap({"why", "slow", "--tree", "x"}).status, 2);
  EXPECT_EQ(run_bpftrap({"why", "slow", "/nonexistent"}).status, 1);
}

TEST_F(WhySlowTest, RecordingWithoutProgramNeedsATree) {
  std::string path = directory_ / "recording";
  Bpftrap recorder({"record", "-o", path, "--pid", std::to_string(::getpid())});
  await_recording(path);
  recorder.stop();
  Outcome outcome = run_bpftrap({"why", "slow", path});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find("recorded without PROGRAM; no process started or ended"),
            std::string::npos)
      << outcome.errors;
  outcome = run_bpftrap({"why", "slow", path, "--tree", "4194000"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("no process 4194000"), std::string::npos) << outcome.errors;
}

TEST_F(WhySlowTest, ListsAProcessThatIsOlderThanTheRecorder) {
  for (const char* option : {"--pid", "--tree"}) {
    SCOPED_TRACE(option);
    Gate gate;
    Child older([&gate] {
      gate.wait();
      return exec_argv("/bin/sh", {"/bin/sh", "-c", "sleep 0.1; :"});
    });
    std::string path = directory_ / (std::string("recording") + option);
    Bpftrap recorder({"record", "-o", path, option, std::to_string(older.pid())});
    await_recording(path);
    gate.open();
    older.wait();
    ASSERT_EQ(recorder.wait(), 0) << recorder.errors();
    Outcome outcome = run_bpftrap({"why", "slow", path});
    EXPECT_EQ(outcome.status, 2);
    std::string id = "--tree " + std::to_string(older.pid()) + "-";
    std::size_t at = outcome.errors.find(id);
    ASSERT_NE(at, std::string::npos) << outcome.errors;
    std::string tree = outcome.errors.substr(at + 7);
    tree.resize(tree.find(' '));
    outcome = run_bpftrap({"why", "slow", path, "--tree", tree});
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_NE(outcome.output.find(" took "), std::string::npos) << outcome.output;
  }
}

}  // namespace
}  // namespace e2e
