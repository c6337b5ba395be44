// SPDX-License-Identifier: GPL-2.0-only
// core/analysis/died/: WHO, statuses in words, origins of signals, restart loops.
#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>

#include "core/analysis/died/explain.h"
#include "core/analysis/died/status.h"
#include "core/analysis/died/who.h"
#include "core/analysis/died/words.h"
#include "core/analysis/program_title.h"
#include "unit/analysis/made_programs.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using namespace std::literals;

TEST(WhoTest, Grammar) {
  using Kind = Who::Kind;
  const std::vector<std::pair<std::string, Kind>> cases = {
      {"4711", Kind::pid},
      {"4711-123456789", Kind::id},
      {"nginx.service", Kind::unit},
      {"session-3.scope", Kind::unit},
      {"getty@tty1.service", Kind::unit},
      {"cups.socket", Kind::unit},
      {"-.mount", Kind::unit},
      {"0123456789ab", Kind::container},
      {"deadbeefcafe", Kind::container},
      {"DEADBEEFCAFE00", Kind::container},
      {"123456789012", Kind::container},
      {"deadbeef", Kind::name},
      {"work*", Kind::name},
      {"comm:4711", Kind::name},
      {"comm:deadbeefcafe", Kind::name},
      {"x-1", Kind::name},
      {".service", Kind::name},
  };
  for (const auto& [text, kind] : cases) {
    EXPECT_EQ(parse_who(text).kind, kind) << text;
  }
  EXPECT_EQ(parse_who("4711-5").process, (PidOrId{4711, 5}));
  EXPECT_EQ(parse_who("DEADBEEFCAFE00").text, "deadbeefcafe00");
  EXPECT_EQ(parse_who("comm:a.service").text, "a.service");
  const std::string too_long(65, 'a');
  for (const char* refused : {"", "comm:", "backup.timer", "multi-user.target", "system.slice",
                              "4711-0", "0", too_long.c_str(), "99999999"}) {
    EXPECT_THROW(parse_who(refused), std::invalid_argument) << refused;
  }
}

TEST(WhoTest, Matches) {
  Process process;
  process.id = {10, 20};
  process.local_pid = 3;
  process.comm = "worker";
  process.unit = "a.service";
  std::string container(64, 'a');
  process.container_id = container;
  auto matches = [&process](const std::string& who) {
    return WhoMatcher(parse_who(who), [](std::string_view name) { return name == "worker"; })
        .matches(process);
  };
  for (const char* who : {"3", "10-20", "a.service", "aaaaaaaaaaaa", "worker"}) {
    EXPECT_TRUE(matches(who)) << who;
  }
  for (const char* who : {"10", "10-21", "b.service", "aaaaaaaaaaab"}) {
    EXPECT_FALSE(matches(who)) << who;
  }
}

TEST(DiedStatusTest, ExitCodes) {
  auto starts = [](int code, const StatusSurroundings& around, std::string_view text) {
    std::string meaning = exit_code_meaning(code, around);
    EXPECT_EQ(meaning.substr(0, text.size()), text) << code;
    EXPECT_EQ(meaning.empty(), text.empty()) << code << meaning;
  };
  starts(0, {}, "");
  starts(1, {}, "");
  starts(124, {}, "");
  starts(124, {.program = "timeout"}, "the command ran into");
  starts(125, {.program = "docker"}, "docker itself failed");
  starts(126, {}, "a command was found, but");
  starts(127, {}, "a command was not found");
  starts(128, {}, "");
  starts(137, {}, "128+9: a child was ended by SIGKILL");
  starts(137, {.in_container = true}, "128+9: a child was ended by SIGKILL, by the out-of-memory");
  starts(143, {.in_container = true}, "128+15: a child was ended by SIGTERM, with which runtimes");
  starts(192, {}, "128+64");
  starts(193, {}, "");
  starts(64, {}, "EX_USAGE: ");
  starts(78, {}, "EX_CONFIG: ");
  starts(79, {}, "");
  starts(203, {}, "");
  starts(203, {.of_service_manager = true}, "EXEC of systemd: cannot execute");
  starts(245, {.of_service_manager = true}, "BPF of systemd: ");
  starts(255, {.program = "ssh"}, "ssh itself failed");
}

TEST(ProgramTitleTest, ScriptsAndPrograms) {
  EXPECT_EQ(program_title("/bin/sh\0/srv/job\0-v\0"sv, "/srv/job", true, "job"), "job");
  EXPECT_EQ(program_title("python3\0-u\0/srv/app.py\0"sv, "/usr/bin/python3", false, "x"),
            "app.py");
  EXPECT_EQ(program_title("sh\0-c\0exit 1\0"sv, "/bin/sh", false, "x"), "sh");
  EXPECT_EQ(program_title("bash\0-lc\0exit 1\0"sv, "/bin/bash", false, "x"), "bash");
  EXPECT_TRUE(runs_command("bash\0-lc\0exit 1\0"sv));
  EXPECT_FALSE(runs_command("/bin/sh\0/srv/watchdog.sh\0-c\0"sv)) << "an option of the script";
  EXPECT_FALSE(runs_command("ssh\0-c\0x\0"sv));
  EXPECT_EQ(program_title("-bash\0"sv, "/bin/bash", false, "x"), "bash");
  EXPECT_EQ(program_title("busybox\0sh\0a.sh\0"sv, "", false, "x"), "a.sh");
  EXPECT_EQ(program_title("/usr/sbin/nginx\0-g\0x\0"sv, "", false, "x"), "nginx");
  EXPECT_EQ(program_title("", "", false, "kworker/0:1"), "kworker/0:1");
}

// cron → shell of a job → watchdog → sudo → kill
TEST(DiedOriginTest, ScriptIsResponsibleForItsTools) {
  MadePrograms made;
  Index cron = made.add(no_index, "cron -f", 0ms, 1h);
  Index shell = made.add(cron, "/bin/sh -c /srv/watchdog.sh", 100ms, 1h);
  Index watchdog = made.add(shell, "/bin/sh /srv/watchdog.sh", 101ms, 1h);
  Index sudo = made.add(watchdog, "sudo kill -9 1", 200ms, 300ms);
  Index kill = made.add(sudo, "kill -9 1", 201ms, 250ms);
  auto origin = [&](Index sender) {
    Sender from{made.run.processes[sender].id, 0, made.run.comm(sender)};
    return explain_signal(from, SIGKILL, BootTime(210ms), ExitRecord{}, made.run);
  };
  EXPECT_EQ(origin(kill).lineage.members.at(origin(kill).responsible).title, "watchdog.sh");
  EXPECT_EQ(origin(kill).lineage.members.size(), 5U);
  EXPECT_EQ(origin(watchdog).responsible, 0U);
  // The shell of a command runs it for the one that called system(3).
  EXPECT_EQ(origin(shell).lineage.members.at(origin(shell).responsible).title, "cron");
  SignalOrigin unknown =
      explain_signal(Sender{{99, 5}, 0, "gone"}, SIGTERM, BootTime(1s), ExitRecord{}, made.run);
  EXPECT_EQ(unknown.lineage.members.at(0).title, "gone");
  EXPECT_TRUE(unknown.lineage.more);
}

ExitRecord ended(std::chrono::milliseconds at, std::chrono::milliseconds lived, int status) {
  ExitRecord exit;
  exit.time = BootTime(at);
  exit.duration = lived;
  exit.wait_status = status;
  return exit;
}

RecentEnd recent(std::chrono::milliseconds at, std::chrono::milliseconds lived, int status) {
  return {BootTime(at), lived, status};
}

TEST(DiedHistoryTest, RestartLoop) {
  History loop =
      judge_history(ended(31s, 900ms, 256),
                    {recent(1s, 900ms, 256), recent(11s, 900ms, 256), recent(21s, 900ms, 256)});
  EXPECT_TRUE(loop.loop);
  EXPECT_EQ(loop.turns, 4U);
  EXPECT_EQ(loop.interval, 10s);
  EXPECT_EQ(history_text(loop),
            "restart loop: 4 ends in turn, each with a failure, one every 10.0s");
  // Two at a time are no loop, and neither are ends without a failure.
  EXPECT_FALSE(judge_history(ended(31s, 15s, 256),
                             {recent(20s, 15s, 256), recent(21s, 15s, 256), recent(30s, 15s, 256)})
                   .loop);
  EXPECT_FALSE(
      judge_history(ended(31s, 900ms, 0), {recent(11s, 900ms, 256), recent(21s, 900ms, 256)}).loop);
  EXPECT_FALSE(judge_history(ended(31s, 900ms, 256), {recent(21s, 900ms, 256)}).loop);
  EXPECT_EQ(history_text(judge_history(ended(31s, 1s, 0), {})),
            "no other such end in the hour before");
}

FoundEnd found(std::string_view comm, std::chrono::milliseconds start,
               std::chrono::milliseconds end, int status) {
  ExitRecord exit = ended(end, end - start, status);
  exit.process.comm = comm;
  return {KeptExit(exit), ""};
}

TEST(DiedSearchTest, HelpersOfAServiceAreNotItsMainProcess) {
  auto kept = [](std::vector<std::tuple<const char*, int, int, int>> ends) {
    std::deque<FoundEnd> all;
    for (const auto& [comm, start, end, status] : ends) {
      all.push_back(
          found(comm, std::chrono::milliseconds(start), std::chrono::milliseconds(end), status));
    }
    drop_helpers(all);
    std::string names;
    for (const FoundEnd& end : all) {
      names += std::string(end.exit.record().process.comm) + " ";
    }
    return names;
  };
  // ExecStartPre, the main process, ExecStop, ExecStopPost
  EXPECT_EQ(kept({{"pre", 0, 50, 0},
                  {"kill", 90'000, 90'010, 0},
                  {"main", 60, 90'020, 0},
                  {"post", 90'030, 90'040, 0}}),
            "main ");
  EXPECT_EQ(kept({{"main", 0, 20, 256}, {"post", 25, 500, 0}}), "main ");
  // A restart loop
  EXPECT_EQ(kept({{"main", 0, 20, 256}, {"main", 120, 150, 256}, {"main", 250, 260, 256}}),
            "main main main ");
}

}  // namespace
}  // namespace bpftrap
