// SPDX-License-Identifier: GPL-2.0-only
// core/analysis/died/explain.h: failures below a process, and commands that asked for its end.
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "core/analysis/died/explain.h"
#include "core/analysis/died/words.h"
#include "unit/analysis/made_programs.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

// The end of a process of the run.
Death death_of(const MadePrograms& made, Index process) {
  ExitRecord exit;
  exit.process.id = made.run.processes[process].id;
  exit.time = made.run.processes[process].end;
  exit.wait_status = made.run.processes[process].wait_status;
  return {.end = {KeptExit(exit), ""}};
}

Strings names_of(const std::vector<MissingProgram>& missing) {
  Strings names;
  for (const MissingProgram& one : missing) {
    names.push_back(one.name);
  }
  return names;
}

TEST(DiedFailuresTest, OnlyTheLastOnesAreKept) {
  MadePrograms made;
  Index victim = made.add(no_index, "sh run.sh", 0ms, 9000ms, 137 << 8);
  Index killed = made.add(victim, "worker", 1ms, 2ms, SIGKILL);
  Pid first = made.next_pid;
  for (int i = 0; i < 5000; ++i) {
    made.add(victim, "false", 10ms, 10ms + std::chrono::milliseconds(i), 1 << 8);
  }
  Death death = death_of(made, victim);
  explain_end(death, made.run);
  ASSERT_EQ(death.failed.size(), failures_most);
  EXPECT_EQ(death.failed_count, 5001U);
  for (std::size_t i = 0; i < failures_most; ++i) {
    EXPECT_EQ(death.failed[i].process.id.pid, first + 4995 + i);
  }
  // The exit code tells of a child that ended long before them.
  ASSERT_TRUE(death.reported);
  EXPECT_EQ(death.reported->process.id, made.run.processes[killed].id);
}

TEST(DiedFailuresTest, TheLastMissingProgramsAreKept) {
  MadePrograms made;
  Index victim = made.add(no_index, "sh run.sh", 0ms, 9000ms, 127 << 8);
  for (int i = 0; i < 1000; ++i) {
    auto at = 10ms + std::chrono::milliseconds(i);
    Index child = made.add(victim, "sh run.sh", at, at + 1ms);
    std::string name = "absent" + std::to_string(i);
    made.execute(child, "/usr/local/bin/" + name, at, i == 997 ? EACCES : ENOENT);
    made.execute(child, "/usr/bin/" + name, at, ENOENT);
  }
  // The last directory of PATH has this one. It may be tried after the end of the victim.
  Index found = made.add(victim, "sh run.sh", 8999ms, 9100ms);
  made.execute(found, "/usr/local/bin/present", 8999ms, ENOENT);
  made.execute(found, "/usr/bin/present", 9001ms);
  Death death = death_of(made, victim);
  explain_end(death, made.run);
  EXPECT_EQ(names_of(death.missing),
            Strings({"absent995", "absent996", "absent997", "absent998", "absent999"}));
  for (const MissingProgram& missing : death.missing) {
    EXPECT_EQ(missing.attempts, 2U) << missing.name;
    EXPECT_EQ(missing.error, missing.name == "absent997" ? "EACCES" : "ENOENT");
  }
}

TEST(DiedFailuresTest, OnlyLossesOfThatTimeAreADoubt) {
  MadePrograms made;
  Index victim = made.add(no_index, "sh run.sh", 0ms, 100'000ms);
  auto lose = [&made](std::chrono::milliseconds at, std::uint64_t count) {
    LossRecord loss{BootTime(at)};
    loss.lost.records[BPFTRAP_RECORD_EXEC] = count;
    made.run.add(loss);
  };
  lose(1s, 1);
  lose(95s, 20);
  lose(100s + 900ms, 300);  // the recorder learns of it a second later
  lose(102s, 4000);
  Death death = death_of(made, victim);
  explain_end(death, made.run);
  EXPECT_EQ(death.lost, 320U);
  EXPECT_EQ(lost_text(1), "1 record of that time was lost: children and senders may be missing");
  EXPECT_EQ(history_text({.lost = 2}),
            "no other such end in the hour before; 2 more ends were lost");
}

// The commands that may have asked systemd to stop a unit.
Strings requests_for(const std::string& unit, const Strings& commands) {
  MadePrograms made;
  Index systemd = made.add(no_index, "systemd --system", 0ms, 1h);
  for (const std::string& command : commands) {
    made.add(no_index, command, 100ms, 200ms);
  }
  ExitRecord exit;
  exit.process.unit = unit;
  Sender sender{made.run.processes[systemd].id, 0, "systemd"};
  SignalOrigin origin = explain_signal(sender, SIGTERM, BootTime(150ms), exit, made.run);
  Strings found;
  for (const Relative& request : origin.requests) {
    std::string words = *request.args;
    std::replace(words.begin(), words.end(), '\0', ' ');
    found.push_back(words.substr(0, words.size() - 1));
  }
  return found;
}

// A daemon's parent is the reaper of orphans, whose program it does not run.
TEST(DiedOriginTest, AnOlderProcessIsNamedByItsParentsProgramOnlyIfItsForkIsKnown) {
  for (bool born : {true, false}) {
    MadePrograms made;
    Index init = made.add(no_index, "init splash", 0ms, 1h);
    Index daemon = made.add(init, "forked", 10ms, 1h);
    RunProcess& forked = made.run.processes[daemon];
    forked.first_exec = forked.last_exec = no_index;
    forked.born = born;
    ExitRecord exit;
    Sender sender{made.run.processes[daemon].id, 0, "perl"};
    SignalOrigin origin = explain_signal(sender, SIGKILL, BootTime(150ms), exit, made.run);
    EXPECT_EQ(origin.lineage.members[0].title, born ? "init" : "perl");
    EXPECT_EQ(origin.lineage.members[0].args.has_value(), born);
  }
}

TEST(DiedOriginTest, RequestsNameTheUnitAndAskForItsEnd) {
  EXPECT_EQ(requests_for("a.service", {"systemctl start b", "systemctl restart b",
                                       "systemctl status a", "systemctl restart a"}),
            Strings{"systemctl restart a"});
  EXPECT_EQ(requests_for("web@1.service", {"systemctl stop web@2.service", "systemctl stop web@*"}),
            Strings{"systemctl stop web@*"});
  EXPECT_EQ(requests_for("a.scope", {"systemctl stop a", "systemctl --no-block stop a.scope"}),
            Strings{"systemctl --no-block stop a.scope"});
  EXPECT_EQ(
      requests_for("a.service", {"service apache2 stop", "service a stop", "systemctl reboot"}),
      Strings({"service a stop", "systemctl reboot"}));
}

}  // namespace
}  // namespace bpftrap
