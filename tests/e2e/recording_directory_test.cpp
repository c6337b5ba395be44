// SPDX-License-Identifier: GPL-2.0-only
// `record --dir`, `show` on directories, cursors.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "e2e/child.h"
#include "e2e/recording.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class RecordingDirectoryTest : public TracingTest {
 protected:
  Words record(const Words& more = {}) const {
    return Words{"record", "--dir", path_, "--keep", "4M"} + more;
  }
  void await_live() const { await_recording(path_ + "/000.bpftrap"); }
  // By -j, because Bpftrap checks that the stream of --json has a single run.
  std::vector<Record> show(const Words& more = {}) {
    Outcome shown = run_bpftrap(Words{"show", path_, "-j"} + more);
    EXPECT_EQ(shown.status, 0) << shown.errors;
    messages_ = shown.errors;
    std::vector<Record> records;
    std::istringstream lines(shown.output);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_EQ(Schema::get().violation_of_line(line), "");
      records.push_back(Record::parse(line));
    }
    return records;
  }
  static long ends_of(const std::vector<Record>& records, const Ended& process) {
    return std::count_if(records.begin(), records.end(), [&](const Record& record) {
      return record.kind() == "exit" && is_about(record, process);
    });
  }
  // Runs programs of the storm's user, whose command lines no compression makes small.
  static void fill(int mebibytes) {
    std::string script =
        "i=0; while [ $i -lt " + std::to_string(mebibytes * 50) +
        " ]; do /bin/true \"$(head -c 20000 /dev/urandom | base64 -w 0)\"; i=$((i+1)); done";
    Child shell([&script] {
      if (::setgid(storm_uid) != 0 || ::setuid(storm_uid) != 0) {
        return 77;
      }
      return exec_argv("/bin/sh", {"sh", "-c", script});
    });
    EXPECT_EQ(shell.wait().status, 0);
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      sum += entry.file_size();
    }
    return sum;
  }
  // Runs the documented recipe. `consumer` is a command. Returns its exit status.
  int pipe_to(const std::string& consumer) const {
    std::string script = "set -o pipefail; cd '" + directory_.path() +
                         "'; touch c; cp c c.new && '" + Bpftrap::binary() + "' show '" + path_ +
                         "' --json --event exit --cursor-file c.new | " + consumer +
                         " && mv c.new c";
    std::string file = directory_ / "recipe";
    std::ofstream(file) << script;
    return std::system(("bash '" + file + "'").c_str());
  }

  ScratchDir directory_;
  std::string path_ = directory_ / "recorder";
  std::string messages_;
};

std::map<std::string, int> lines_with(const std::string& file, const std::string& part) {
  std::map<std::string, int> lines;
  for (const std::string& line : lines_of_file(file)) {
    if (line.find(part) != std::string::npos) {
      ++lines[line];
    }
  }
  return lines;
}

TEST_F(RecordingDirectoryTest, ARestartContinuesAndReportsTheTimeBetween) {
  std::vector<Ended> processes;
  {
    Bpftrap recorder(record());
    await_live();
    processes.push_back(run_workload({"exit", "1"}));
    sleep_for(1300ms);
    EXPECT_EQ(recorder.stop(SIGKILL), 128 + SIGKILL);
  }
  std::uint64_t before = bytes();
  {
    Bpftrap recorder(record());
    recorder.await([&] { return bytes() > before; });
    processes.push_back(run_workload({"exit", "2"}));
    EXPECT_EQ(recorder.stop(SIGTERM), 0) << recorder.errors();
    EXPECT_NE(recorder.errors().find("wrote " + path_), std::string::npos) << recorder.errors();
    EXPECT_NE(recorder.errors().find("next: bpftrap show " + path_), std::string::npos);
  }
  std::vector<Record> records = show();
  for (const Ended& process : processes) {
    EXPECT_EQ(ends_of(records, process), 1);
  }
  EXPECT_EQ(std::count_if(records.begin(), records.end(),
                          [](const Record& record) { return record.kind() == "start"; }),
            2);
  EXPECT_NE(messages_.find(": without a recorder from "), std::string::npos) << messages_;
  std::string since = records[1].text("ts");
  EXPECT_EQ(ends_of(show({"--since", since}), processes[0]), 1);
  EXPECT_EQ(ends_of(show({"--since", "now"}), processes[1]), 0);
  EXPECT_EQ(ends_of(show({"--last", "2"}), processes[0]), 0);
}

// `record` renames an existing recording to FILE.old.
TEST_F(RecordingDirectoryTest, CursorOfARenamedFileReportsTheUnreadRest) {
  path_ = directory_ / "file";
  std::string cursor = directory_ / "c";
  auto make = [this] {
    EXPECT_EQ(run_bpftrap({"record", "-o", path_, "--", "/bin/true"}).status, 0);
  };
  auto losses = [&](const Words& more = {}) {
    std::vector<std::optional<std::uint64_t>> counts;
    for (const Record& record : show(Words{"--cursor-file", cursor} + more)) {
      if (record.kind() == "lost") {
        counts.push_back(record.maybe_number("count"));
      }
    }
    return counts;
  };
  make();
  EXPECT_TRUE(losses().empty());
  make();
  EXPECT_TRUE(losses().empty()) << "all was read";
  make();
  EXPECT_TRUE(losses({"--count", "1"}).empty());
  make();
  std::vector<std::optional<std::uint64_t>> rest = losses();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_GE(rest[0].value_or(0), 1U);
  make();
  make();
  rest = losses();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_FALSE(rest[0]) << "the former file is gone, too";
}

TEST_F(RecordingDirectoryTest, ASecondRecorderIsRefused) {
  Bpftrap recorder(record());
  await_live();
  Outcome picture = run_bpftrap({"show", path_, "--timeline", directory_ / "page"});
  EXPECT_EQ(picture.status, 1) << "a directory is unbounded";
  EXPECT_NE(picture.errors.find("is a directory (--timeline)"), std::string::npos);
  Outcome second = run_bpftrap(record());
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.errors.find("another recorder does"), std::string::npos) << second.errors;
  EXPECT_EQ(recorder.stop(), 0);
  EXPECT_EQ(run_bpftrap({"record", "--keep", "1G"}).status, 2);
  EXPECT_EQ(run_bpftrap(record({"--keep-for", "5"})).status, 2);
  EXPECT_EQ(run_bpftrap(record({"-o", "file"})).status, 2);
  EXPECT_EQ(run_bpftrap(record({"--", "/bin/true"})).status, 125);
}

TEST_F(RecordingDirectoryTest, FollowsAroundTheCircle) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can start processes of another user";
  }
  Bpftrap recorder(record({"--user", storm_user}), {.may_lose = true});
  await_live();
  Bpftrap shown({"show", path_, "--json", "--follow", "--event", "exit"}, {.may_lose = true});
  shown.await_start();
  fill(6);
  EXPECT_LE(bytes(), std::uint64_t{4} << 20);
  std::string tiny = write_tiny_program(directory_);
  Storm storm = make_storm(50, tiny);
  auto ends = [&] {
    return static_cast<std::uint64_t>(
        std::count_if(shown.records().begin(), shown.records().end(), [&](const Record& record) {
          return record.kind() == "exit" && record.maybe_text("filename") == tiny;
        }));
  };
  shown.await([&] { return ends() >= storm.started; });
  EXPECT_EQ(recorder.stop(), 0);
  EXPECT_EQ(shown.stop(), 0) << shown.errors();
  std::map<std::string, int> ids;
  for (const Record& record : shown.records()) {
    if (record.kind() == "exit") {
      EXPECT_EQ(++ids[record.text("id")], 1);
    }
  }
  // Those that were lost, if the reader was slow, are told.
  std::uint64_t lost = 0;
  for (const Record& record : shown.records()) {
    lost += record.kind() == "lost" ? record.number("count") : 0;
  }
  EXPECT_GE(ids.size() + lost, 4 * 300 + storm.started);
}

TEST_F(RecordingDirectoryTest, RecipeRepeatsWhatAKilledConsumerHasRead) {
  Bpftrap recorder(record());
  await_live();
  Ended first = run_workload({"exit", "11"});
  sleep_for(1300ms);
  std::string sink = directory_ / "consumed";
  // Reads everything, then dies before it has done its work.
  EXPECT_NE(pipe_to("sh -c 'cat >/dev/null; kill -9 $$'"), 0);
  EXPECT_EQ(size_of_file(directory_ / "c"), 0U);
  EXPECT_EQ(pipe_to("cat >>'" + sink + "'"), 0);
  EXPECT_EQ(lines_with(sink, "\"pid\":" + std::to_string(first.pid) + ",").size(), 1U);
  Ended second = run_workload({"exit", "12"});
  sleep_for(1300ms);
  EXPECT_NE(pipe_to("sh -c 'cat >/dev/null; kill -9 $$'"), 0);
  EXPECT_EQ(pipe_to("cat >>'" + sink + "'"), 0);
  EXPECT_EQ(pipe_to("cat >>'" + sink + "'"), 0) << "nothing new is no failure";
  EXPECT_EQ(recorder.stop(), 0);
  for (const Ended& process : {first, second}) {
    auto lines = lines_with(sink, "\"pid\":" + std::to_string(process.pid) + ",");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.begin()->second, 1) << "each once, because all of it succeeded";
  }
}

// The oracle is a recorder that drops nothing.
TEST_F(RecordingDirectoryTest, CursorCountsWhatWasDropped) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can start processes of another user";
  }
  Words everything = {"--event", "fork,exec,failed,exit"};
  Words from_cursor = everything + Words{"--cursor-file", directory_ / "cursor"};
  auto count = [](const std::vector<Record>& records) {
    return static_cast<std::uint64_t>(
        std::count_if(records.begin(), records.end(), [](const Record& record) {
          return record.kind() == "fork" || record.kind() == "exec" || record.kind() == "exit";
        }));
  };
  std::string all = directory_ / "all";
  Bpftrap other({"record", "-o", all, "--user", storm_user});
  Bpftrap recorder(record({"--user", storm_user}));
  await_recording(all);
  await_live();
  std::string tiny = write_tiny_program(directory_);
  make_storm(10, tiny);
  sleep_for(1300ms);
  std::uint64_t read = count(show(from_cursor));
  EXPECT_GE(read, 20U);
  EXPECT_EQ(count(show(from_cursor)), 0U);
  fill(6);
  EXPECT_EQ(recorder.stop(), 0);
  EXPECT_EQ(other.stop(), 0);
  std::vector<Record> rest = show(from_cursor);
  read += count(rest);
  std::uint64_t dropped = 0;
  for (const Record& record : rest) {
    dropped += record.kind() == "lost" ? record.number("count") : 0;
  }
  EXPECT_GT(dropped, 0U);
  path_ = all;
  EXPECT_EQ(read + dropped, count(show(everything)));
}

TEST_F(RecordingDirectoryTest, FullDiskDropsTheOldestAndGoesOn) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a small file system";
  }
  std::string disk = directory_ / "disk";
  std::filesystem::create_directory(disk);
  ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=3m");
  path_ = disk + "/recorder";
  std::string tiny = write_tiny_program(directory_);
  Bpftrap recorder({"record", "--dir", path_, "--keep", "16M", "--user", storm_user},
                   {.may_lose = true});
  await_live();
  fill(6);
  sleep_for(2500ms);
  make_storm(10, tiny);
  EXPECT_EQ(recorder.stop(), 0) << recorder.errors();
  EXPECT_NE(recorder.errors().find("No space left on device; the oldest"), std::string::npos)
      << recorder.errors();
  std::vector<Record> records = show({"--event", "exit", "--last", "10"});
  ::umount2(disk.c_str(), MNT_DETACH);
  EXPECT_GE(records.size(), 10U);
}

TEST_F(RecordingDirectoryTest, SaysWhoMayRead) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "is not privileged";
  }
  std::filesystem::create_directory(path_);
  ASSERT_EQ(::chmod(path_.c_str(), 02750), 0);
  EXPECT_EQ(run_bpftrap(record({"--timeout", "100ms"})).status, 0);
  ::chmod(directory_.path().c_str(), 0755);
  Bpftrap::Setup setup;
  setup.before_exec = [] {
    if (::setgid(storm_uid) != 0 || ::setuid(storm_uid) != 0) {
      ::_exit(77);
    }
  };
  Outcome refused = run_bpftrap({"show", path_}, setup);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.errors.find("only root and members of the group root may read it"),
            std::string::npos)
      << refused.errors;
  setup.before_exec = [] {
    if (::setgid(0) != 0 || ::setuid(storm_uid) != 0) {
      ::_exit(77);
    }
  };
  EXPECT_EQ(run_bpftrap({"show", path_}, setup).status, 0) << "of the group";
}

}  // namespace
}  // namespace e2e
