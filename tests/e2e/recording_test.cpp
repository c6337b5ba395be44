// SPDX-License-Identifier: GPL-2.0-only
// `record` and `show`: the file, PROGRAM, faults.
#include "e2e/recording.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "e2e/child.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class RecordingTest : public TracingTest {
 protected:
  Words record(const Words& more = {}) const { return Words{"record", "--output", path_} + more; }
  static Words program(const Words& workload) {
    return Words{"--", self_path(), "--workload"} + workload;
  }
  // The records of `show`, as JSON.
  std::vector<Record> show(const Words& more = {}) {
    Bpftrap shown(Words{"show", path_, "--json"} + more, {.may_lose = true});
    EXPECT_EQ(shown.wait(), 0) << shown.errors();
    messages_ = shown.errors();
    return shown.records();
  }
  static std::vector<Record> of_kind(const std::vector<Record>& records, const std::string& kind) {
    std::vector<Record> found;
    std::copy_if(records.begin(), records.end(), std::back_inserter(found),
                 [&](const Record& record) { return record.kind() == kind; });
    return found;
  }

  ScratchDir directory_;
  std::string path_ = directory_ / "recording";
  std::string messages_;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(RecordingTest, ProgramAndItsStatus) {
  for (int status : {0, 3}) {
    Outcome outcome = run_bpftrap(record(program({"exit", std::to_string(status)})));
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.errors, "bpftrap: wrote " + path_ +
                                  ": 3 records, 0 lost; next: bpftrap why slow " + path_ + "\n");
    std::vector<Record> records = show();
    ASSERT_EQ(records.size(), 4U);
    EXPECT_EQ(records[0].kind(), "start");
    EXPECT_EQ(records[0].text("command"), "record");
    EXPECT_EQ(records[1].kind(), "exec");
    EXPECT_EQ(records[1].text("boot_id"), records[0].text("boot_id"));
    EXPECT_EQ(records[1].text("host"), records[0].text("host"));
    EXPECT_EQ(records[2].kind(), "exit");
    EXPECT_EQ(records[2].number("exit_code"), static_cast<std::uint64_t>(status));
    EXPECT_EQ(records[2].strings("args"), records[1].strings("args"));
    EXPECT_EQ(messages_, "");
  }
  EXPECT_EQ(run_bpftrap(record({"--", "/nonexistent"})).status, 127);
  for (const char* option : {"--columns", "--fail-on"}) {
    EXPECT_EQ(run_bpftrap(record({option, "PID", "--", "/bin/true"})).status, 125) << option;
  }
}

TEST_F(RecordingTest, ProgramKeepsItsStandardOutput) {
  EXPECT_EQ(run_bpftrap(record(program({"say", "hello"}))).output,
            run_bpftrap({"exec", "-o", directory_ / "trace", "--", self_path(), "--workload", "say",
                         "hello"})
                .output);
}

TEST_F(RecordingTest, EarlierRecordingIsKeptAndOtherFilesAreRefused) {
  run_bpftrap(record(program({"exit", "1"})));
  std::string first = text_of(path_);
  run_bpftrap(record(program({"exit", "2"})));
  EXPECT_EQ(text_of(path_ + ".old"), first);
  EXPECT_EQ(of_kind(show(), "exit").at(0).number("exit_code"), 2U);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);

  std::ofstream(path_) << "something else\n";
  Outcome refused = run_bpftrap(record(program({"exit", "0"})));
  EXPECT_EQ(refused.status, 125);
  EXPECT_NE(refused.errors.find("is no recording"), std::string::npos) << refused.errors;
  EXPECT_EQ(text_of(path_), "something else\n");
  EXPECT_EQ(run_bpftrap({"show", path_}).status, 1);
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(run_bpftrap(record(program({"exit", "0"}))).status, 125);
}

TEST_F(RecordingTest, BelongsToTheUserWhoCalledSudo) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  std::string id = std::to_string(storm_uid);
  Bpftrap::Setup setup;
  setup.environment = {"SUDO_UID=" + id, "SUDO_GID=" + id, "SUDO_USER=somebody"};
  EXPECT_EQ(run_bpftrap(record({"--timeout", "100ms"}), setup).status, 0);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U) << "without PROGRAM the caller is not asked for";
  std::filesystem::remove(path_);
  EXPECT_EQ(run_bpftrap(record({"--", "/bin/true"}), setup).status, 0);
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, storm_uid);
}

TEST_F(RecordingTest, NeedsNoPrivilegesToBeShown) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "is not privileged";
  }
  run_bpftrap(record(program({"exit", "1"})));
  ::chmod(path_.c_str(), 0644);
  ::chmod(directory_.path().c_str(), 0755);
  Bpftrap::Setup setup;
  setup.before_exec = [] {
    if (::setgid(storm_uid) != 0 || ::setuid(storm_uid) != 0) {
      ::_exit(77);
    }
  };
  EXPECT_EQ(run_bpftrap({"show", path_}, setup).status, 0);
  ::chmod(path_.c_str(), 0600);
  Outcome refused = run_bpftrap({"show", path_}, setup);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.errors.find("Permission denied; only root may read it"), std::string::npos)
      << refused.errors;
}

TEST_F(RecordingTest, KilledRecorderLosesAtMostASecond) {
  Bpftrap recorder(record());
  await_recording(path_);
  std::vector<Ended> old;
  for (int i = 0; i < 20; ++i) {
    old.push_back(run_workload({"exit", "4"}));
  }
  sleep_for(1300ms);
  run_workload({"exit", "5"});
  EXPECT_EQ(recorder.stop(SIGKILL), 128 + SIGKILL);
  std::vector<Record> records = show();
  for (const Ended& process : old) {
    EXPECT_EQ(std::count_if(records.begin(), records.end(),
                            [&](const Record& record) {
                              return record.kind() == "exit" && is_about(record, process);
                            }),
              1);
  }
  EXPECT_EQ(records.back().kind(), "stop");
  EXPECT_NE(messages_.find("the recorder did not end"), std::string::npos) << messages_;
}

TEST_F(RecordingTest, FullDiskEndsTheRecordingNotTheProgram) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a small file system";
  }
  std::string notes = directory_ / "kept";
  std::string disk = directory_ / "disk";
  std::filesystem::create_directory(disk);
  Bpftrap::Setup setup;
  setup.may_lose = true;
  setup.before_exec = [&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=32k") != 0) {
      ::_exit(77);
    }
  };
  // The shell copies the file out of the mount, which ends with bpftrap, and lives on.
  std::string script =
      "i=0; while [ $i -lt 1500 ]; do /bin/true \"$i$i$RANDOM\"; i=$((i+1)); done;"
      "sleep 2; cp " +
      disk + "/r " + path_ + "; exit 6";
  Outcome outcome =
      run_bpftrap({"record", "-o", disk + "/r", "--", "/bin/sh", "-c", script}, setup);
  EXPECT_EQ(outcome.status, 125) << outcome.errors;
  EXPECT_NE(outcome.errors.find("No space left on device"), std::string::npos) << outcome.errors;
  std::vector<Record> records = show();
  EXPECT_GT(records.size(), 100U);
  EXPECT_EQ(records.back().kind(), "stop");
  EXPECT_EQ(messages_.find("incomplete"), std::string::npos) << messages_;
  EXPECT_EQ(messages_.find("damaged"), std::string::npos) << messages_;
  // The message names the time of the last record in the file, of any kind.
  Bpftrap table({"show", path_, "--event", "fork,exec,failed,exit", "--last", "1", "--no-header"});
  EXPECT_EQ(table.wait(), 0);
  constexpr std::size_t time_size = 12;  // 14:00:00.123
  std::string last = table.output().substr(0, time_size);
  const std::string before = "the records up to ";
  std::size_t at = outcome.errors.find(before);
  ASSERT_NE(at, std::string::npos) << outcome.errors;
  std::string named = outcome.errors.substr(at + before.size(), time_size);
  EXPECT_GE(named, last);
}

TEST_F(RecordingTest, TextOverwritesNoRecording) {
  ASSERT_EQ(run_bpftrap(record() + program({"exit", "0"})).status, 0);
  const std::string before = text_of(path_);
  std::string other = directory_ / "other";
  std::filesystem::copy_file(path_, other);
  const std::vector<Words> lines = {{"show", other, "-o", path_},
                                    {"show", other, "--append", "-o", path_},
                                    Words{"exec", "-o", path_} + program({"exit", "0"})};
  for (const Words& line : lines) {
    Outcome refused = run_bpftrap(line);
    EXPECT_NE(refused.status, 0);
    EXPECT_NE(refused.errors.find(path_), std::string::npos) << refused.errors;
    EXPECT_EQ(text_of(path_), before);
  }
}

TEST_F(RecordingTest, ARecordingThatGoesOnIsNotReplaced) {
  Bpftrap first({"record", "-o", path_});
  await_recording(path_);
  Outcome second = run_bpftrap(record() + program({"exit", "0"}));
  EXPECT_EQ(second.status, 125);
  EXPECT_NE(second.errors.find("another recorder writes to it"), std::string::npos)
      << second.errors;
  EXPECT_EQ(first.stop(), 0);
  EXPECT_EQ(run_bpftrap({"show", path_, "--count", "1"}).status, 0);
  EXPECT_EQ(run_bpftrap(record() + program({"exit", "0"})).status, 0);
}

TEST_F(RecordingTest, ExportsOverwriteNoRecording) {
  ASSERT_EQ(run_bpftrap(record() + program({"exit", "0"})).status, 0);
  const std::string before = text_of(path_);
  for (const char* option : {"--perfetto", "--timeline"}) {
    Outcome shown = run_bpftrap({"show", path_, option, path_});
    EXPECT_EQ(shown.status, 1);
    EXPECT_NE(shown.errors.find("it is a recording"), std::string::npos) << shown.errors;
    EXPECT_EQ(text_of(path_), before);
  }
  EXPECT_EQ(run_bpftrap({"show", path_, "--perfetto", "/dev/full"}).errors,
            "bpftrap: cannot write to '/dev/full' (--perfetto): No space left on device; it is "
            "incomplete\n");
  std::string fresh = directory_ / "fresh";
  Outcome recorded =
      run_bpftrap(Words{"record", "-o", fresh, "--perfetto", fresh} + program({"exit", "0"}));
  EXPECT_EQ(recorded.status, 125) << recorded.errors;
  EXPECT_EQ(run_bpftrap({"show", path_, "--perfetto", fresh + "1", "--timeline",
                         directory_.path() + "/./fresh1"})
                .status,
            1);
  // The page is made of the whole recording.
  EXPECT_EQ(run_bpftrap({"show", path_, "--timeline", fresh, "--redact", "x"}).status, 2);
}

TEST_F(RecordingTest, RedactedBeforeTheDisk) {
  Outcome outcome = run_bpftrap(record({"--redact", "secret[0-9]*", "--env", "TOKEN"}) +
                                    program({"exit", "0", "--password=secret123"}),
                                {.environment = {"TOKEN=secret9", "OTHER=secret8"}});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  Bpftrap shown({"show", path_, "--json"});
  EXPECT_EQ(shown.wait(), 0);
  EXPECT_EQ(shown.output().find("secret"), std::string::npos) << shown.output();
  std::vector<Record> execs = of_kind(shown.records(), "exec");
  ASSERT_EQ(execs.size(), 1U);
  EXPECT_EQ(execs[0].strings("args").back(), "--password=***");
  EXPECT_EQ(execs[0].strings("env"), Words{"TOKEN=***"});
  EXPECT_EQ(of_kind(shown.records(), "exit").at(0).strings("args").back(), "--password=***");
}

TEST_F(RecordingTest, OlderProcessHasItsCommandLine) {
  Gate gate;
  Child older([&] {
    ::setenv("WAIT", "1", 1);
    return exec_argv("/bin/sleep", {"sleep", "4.25"}, "");
  });
  sleep_for(100ms);
  Bpftrap recorder(record({"--timeout", "6"}));
  await_recording(path_);
  Ended ended = older.wait();
  EXPECT_EQ(recorder.stop(), 0);
  std::vector<Record> records = show({"--event", "exit"});
  auto found = std::find_if(records.begin(), records.end(), [&](const Record& record) {
    return record.kind() == "exit" && is_about(record, ended);
  });
  ASSERT_NE(found, records.end());
  EXPECT_EQ(found->strings("args"), (Words{"sleep", "4.25"}));
}

TEST_F(RecordingTest, WindowsLastAndOneProcess) {
  Bpftrap recorder(record());
  await_recording(path_);
  Ended first = run_workload({"exit", "1"});
  sleep_for(100ms);
  std::uint64_t middle = boot_ns_now();
  sleep_for(100ms);
  Ended second = run_workload({"exit", "2"});
  EXPECT_EQ(recorder.stop(), 0);
  std::vector<Record> all = show();
  auto find = [](const std::vector<Record>& records, const Ended& process) {
    return std::count_if(records.begin(), records.end(), [&](const Record& record) {
      return record.has("id") && is_about(record, process);
    });
  };
  EXPECT_EQ(find(all, first), 2);
  EXPECT_EQ(find(all, second), 2);
  // The moment in between, by the clock of the recording.
  auto exit_of_first = std::find_if(all.begin(), all.end(), [&](const Record& record) {
    return record.kind() == "exit" && is_about(record, first);
  });
  std::uint64_t wall = wall_ns_of(*exit_of_first) - exit_of_first->number("boot_ns") + middle;
  std::string fraction = std::to_string(1'000'000'000 + wall % 1'000'000'000).substr(1);
  std::time_t second_of_day = static_cast<std::time_t>(wall / 1'000'000'000);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", ::gmtime(&second_of_day));
  std::string moment = text + fraction + "Z";
  std::vector<Record> since = show({"--since", moment});
  EXPECT_EQ(find(since, first), 0);
  EXPECT_EQ(find(since, second), 2);
  std::vector<Record> until = show({"--until", moment});
  EXPECT_EQ(find(until, first), 2);
  EXPECT_EQ(find(until, second), 0);
  EXPECT_EQ(show({"--last", "3"}).size(), 5U);
  EXPECT_EQ(show({"--count", "3"}).size(), 5U);
  EXPECT_EQ(show({"--pid", std::to_string(second.pid)}).size(), 4U);

  std::string id = exit_of_first->text("id");
  Bpftrap::Setup setup;
  setup.before_exec = [this] {
    if (::chdir(directory_.path().c_str()) != 0) {
      ::_exit(77);
    }
  };
  std::filesystem::rename(path_, directory_ / "trace.bpftrap");
  Outcome one = run_bpftrap({"show", id}, setup);
  EXPECT_EQ(one.status, 0) << one.errors;
  for (const char* part : {"event                   fork\n", "event                   exec\n",
                           "exit_code               1\n"}) {
    EXPECT_NE(one.output.find(part), std::string::npos) << part << "\n" << one.output;
  }
  EXPECT_EQ(one.errors.find("bpftrap: showing trace.bpftrap, "), 0U) << one.errors;
}

TEST_F(RecordingTest, AnEmptyAnswerIsExplained) {
  run_bpftrap(record({"--", "/bin/true"}));
  const std::vector<Words> filters = {{"--user", "nosuchuser"},
                                      {"--name", "nosuchname"},
                                      {"--tree", "4194303"},
                                      {"--since", "now"},
                                      {"--summary", "--failed"}};
  for (const Words& filter : filters) {
    Outcome outcome = run_bpftrap(Words{"show", path_} + filter);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.errors.find(path_ + ": no record matches; the recording spans "),
              std::string::npos)
        << filter[0] << ": " << outcome.errors;
  }
  std::filesystem::rename(path_, directory_ / "trace.bpftrap");
  std::string directory = directory_.path();
  Outcome unknown = run_bpftrap(
      {"show", "1-2"}, {.before_exec = [directory] { std::filesystem::current_path(directory); }});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.errors.find("no process 1-2; the recording spans "), std::string::npos)
      << unknown.errors;
}

TEST_F(RecordingTest, FollowEndsWithTheRecorder) {
  Bpftrap recorder(record());
  await_recording(path_);
  Bpftrap shown({"show", path_, "--json", "--follow"});
  shown.await_start();
  Ended process = run_workload({"exit", "1"});
  shown.await([&] { return !shown.records_of(process, "exit").empty(); });
  EXPECT_EQ(recorder.stop(), 0);
  EXPECT_EQ(shown.wait(), 0) << shown.errors();
}

TEST_F(RecordingTest, SummaryInsteadOfRecords) {
  run_bpftrap(record({"--", "/bin/sh", "-c", "/bin/true; /bin/true; /bin/false; exit 0"}));
  Outcome table = run_bpftrap({"show", path_, "--summary"});
  EXPECT_EQ(table.status, 0);
  EXPECT_NE(table.output.find("4 processes, 1 failed"), std::string::npos) << table.output;
  std::vector<Record> records = show({"--summary"});
  EXPECT_TRUE(of_kind(records, "exec").empty());
  EXPECT_FALSE(of_kind(records, "summary").empty());
}

}  // namespace
}  // namespace e2e
