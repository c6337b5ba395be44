// SPDX-License-Identifier: GPL-2.0-only
// `why died`: each test brings about one kind of end and reads the answer. The oracles are the pids
// that the scripts themselves report, wait4(), and the kernel.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "e2e/cgroup.h"
#include "e2e/child.h"
#include "e2e/namespaces.h"
#include "e2e/recording.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class WhyDiedTest : public TracingTest {
 protected:
  // Creates an executable script.
  std::string script(const std::string& name, const std::string& text) const {
    std::string path = directory_ / name;
    std::ofstream(path) << "#!/bin/sh\ncd " << directory_.path() << "\n" << text << "\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
  // Runs the script under the recorder.
  void record(const std::string& text) {
    script("run.sh", text);
    recorded_ =
        run_bpftrap({"record", "-o", path_, "--", directory_ / "run.sh"},
                    {.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, .may_lose = true});
  }
  // The number that a script has written to a file.
  std::string number_in(const std::string& name) const {
    std::ifstream file(directory_ / name);
    std::string number;
    file >> number;
    return number;
  }
  Outcome why(const std::string& who, const Words& more = {}) const {
    return run_bpftrap(Words{"why", "died", who, path_} + more, {.may_lose = true});
  }
  std::vector<Record> deaths(const std::string& who, const Words& more = {}) const {
    Outcome outcome = why(who, Words{"-j"} + more);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    std::vector<Record> records;
    std::istringstream lines(outcome.output);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_EQ(Schema::get().violation_of_line(line), "");
      records.push_back(Record::parse(line));
      EXPECT_EQ(records.back().kind(), "death");
    }
    return records;
  }
  void expect_answer(const std::string& who, const Words& parts, const Words& absent = {}) const {
    Outcome outcome = why(who);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    for (const std::string& part : parts) {
      EXPECT_NE(outcome.output.find(part), std::string::npos) << part << "\nin\n" << outcome.output;
    }
    for (const std::string& part : absent) {
      EXPECT_EQ(outcome.output.find(part), std::string::npos) << part << "\nin\n" << outcome.output;
    }
  }

  ScratchDir directory_;
  std::string path_ = directory_ / "recording";
  Outcome recorded_;
};

TEST_F(WhyDiedTest, WatchdogIsNamedInsteadOfKill) {
  script("watchdog.sh", "echo $$ > watchdog.pid; /bin/sleep 0.1; env kill -9 $1; true");
  record("/bin/sleep 30 & echo $! > victim.pid; ./watchdog.sh $!; wait $!; exit $?");
  EXPECT_EQ(recorded_.status, 128 + SIGKILL);
  std::string victim = number_in("victim.pid");
  std::string watchdog = "watchdog.sh[" + number_in("watchdog.pid") + "]";
  expect_answer(victim,
                {"sleep[" + victim + "] was killed: " + watchdog + " sent SIGKILL through kill[",
                 "SIGKILL: no process can handle it", "/bin/sleep 30",
                 "/bin/sh ./watchdog.sh " + victim, "run.sh["});
  std::vector<Record> records = deaths(victim);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].text("signal"), "SIGKILL");
  EXPECT_EQ(records[0].strings("killer_args"), (Words{"kill", "-9", victim}));
  EXPECT_EQ(records[0].strings("killer_ancestors").at(0), watchdog);
  EXPECT_EQ(records[0].strings("killer_ancestors").size(),
            records[0].strings("killer_ancestor_ids").size());
  EXPECT_EQ(records[0].strings("ancestors").at(0).substr(0, 7), "run.sh[");
  EXPECT_EQ(records[0].strings("ancestor_ids").at(0), records[0].text("parent_id"));
  EXPECT_EQ(records[0].number("recent"), 0U);
  // The id names the same process.
  EXPECT_EQ(deaths(records[0].text("id"))[0].number("boot_ns"), records[0].number("boot_ns"));
  // The script tells of it by its own status.
  expect_answer("run.sh", {"failed with status 137: its child sleep[" + victim + "] was killed; " +
                               watchdog + " sent SIGKILL through kill[",
                           "128+9: a child was ended by SIGKILL",
                           "SIGKILL from " + watchdog + "  /bin/sleep 30"});
}

TEST_F(WhyDiedTest, TimeoutTwoLevelsUp) {
  script("job.sh", "echo $$ > job.pid; /bin/sleep 30; true");
  record("timeout 0.3 sh -c './job.sh; true'");
  EXPECT_EQ(recorded_.status, 124);
  std::string job = number_in("job.pid");
  expect_answer(job, {"job.sh[" + job + "] was killed: timeout[", " sent SIGTERM\n",
                      "SIGTERM: the usual request to end", "timeout 0.3 sh -c"});
  expect_answer("timeout", {"failed with status 124", "the command ran into the time limit"});
}

TEST_F(WhyDiedTest, OutOfMemoryInACgroup) {
  std::string name = "/bpftrap-died-" + std::to_string(::getpid());
  std::unique_ptr<Group> group = limited_group(name);
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap recorder({"record", "-o", path_});
  await_recording(path_);
  Ended greedy = Child([&] {
                   group->enter();
                   std::string memory(std::size_t{256} << 20, 'x');
                   return memory[memory.size() / 2] == 'x' ? 0 : 1;
                 }).wait();
  EXPECT_EQ(recorder.stop(), 0);
  ASSERT_TRUE(WIFSIGNALED(greedy.status));
  expect_answer(std::to_string(greedy.pid),
                {"was killed by the kernel's out-of-memory killer", "SIGKILL by oom-killer",
                 "the limit of ", name + " is 32M", "memory  "},
                {"came from"});
  EXPECT_TRUE(deaths(std::to_string(greedy.pid)).at(0).flag("oom_killed"));
  // The limit is read from this machine, as long as it is there.
  group.reset();
  expect_answer(std::to_string(greedy.pid), {"its cgroup is gone or has no limit"}, {"32M ("});
}

TEST_F(WhyDiedTest, SegmentationFaultWithACore) {
  Bpftrap recorder({"record", "-o", path_});
  await_recording(path_);
  Ended crashed = Child([this] {
                    std::filesystem::current_path(directory_.path());
                    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
                    ::setrlimit(RLIMIT_CORE, &unlimited);
                    ::signal(SIGSEGV, SIG_DFL);
                    static volatile int* nowhere = nullptr;
                    return *nowhere;
                  }).wait();
  EXPECT_EQ(recorder.stop(), 0);
  ASSERT_TRUE(WIFSIGNALED(crashed.status) && WTERMSIG(crashed.status) == SIGSEGV);
  expect_answer(std::to_string(crashed.pid),
                {"crashed: SIGSEGV", "it used an invalid address",
                 WCOREDUMP(crashed.status) ? "SIGSEGV (core dumped):" : "SIGSEGV:",
                 WCOREDUMP(crashed.status) ? "\ncore  " : "status"});
}

TEST_F(WhyDiedTest, CommandNotFoundInAScript) {
  script("missing.sh", "env no-such-program --flag");
  script("silent.sh", "no-such-program-either");
  record("./missing.sh; ./silent.sh");
  EXPECT_EQ(recorded_.status, 127);
  expect_answer("missing.sh",
                {"failed with status 127", "127: a command was not found\n",
                 "programs that could not be executed", "ENOENT  no-such-program (",
                 "env no-such-program --flag"},
                {"its name is not known"});
  expect_answer("silent.sh", {"failed with status 127", "its name is not known"},
                {"could not be executed"});
}

TEST_F(WhyDiedTest, RestartLoop) {
  script("crash.sh", "/bin/sleep 0.05; exit 78");
  record("for i in 1 2 3 4; do ./crash.sh; /bin/sleep 0.1; done");
  expect_answer("crash.sh", {"failed with status 78", "EX_CONFIG: wrong configuration",
                             "restart loop: 4 ends in turn, each with a failure, one every 1"});
  std::vector<Record> records = deaths("crash.sh", {"--last", "3"});
  ASSERT_EQ(records.size(), 3U);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records[i].number("recent"), i + 1);
  }
  // Ends without a failure are no loop.
  expect_answer("comm:sleep", {"such ends in the hour before, without a failure"},
                {"restart loop"});
}

TEST_F(WhyDiedTest, HandledTermination) {
  script("daemon.sh", "trap 'exit 0' TERM; echo $$ > daemon.pid; while :; do /bin/sleep 0.1; done");
  record("./daemon.sh & /bin/sleep 0.3; kill $!; wait $!");
  EXPECT_EQ(recorded_.status, 0);
  std::string daemon = number_in("daemon.pid");
  expect_answer(daemon, {"daemon.sh[" + daemon + "] ended with status 0, ", " after run.sh[",
                         " sent SIGTERM\n", "SIGTERM came from"});
  EXPECT_EQ(deaths(daemon).at(0).text("last_signal"), "SIGTERM");
  EXPECT_TRUE(deaths(daemon).at(0).is_null("killer_args"));
}

TEST_F(WhyDiedTest, FirstProcessOfAContainer) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can create a pid namespace";
  }
  script("init.sh", "/bin/sleep 31 & /bin/sleep 32; true");
  record(
      "unshare -pf ./init.sh & /bin/sleep 0.3\n"
      "init=$(ps -o pid= --ppid $!); echo $init > init.pid; kill -9 $init; wait");
  std::string init = number_in("init.pid");
  ASSERT_FALSE(init.empty());
  expect_answer(init, {"init.sh[" + init + "] was killed: run.sh[", " sent SIGKILL\n"});
  expect_answer("sleep",
                {"was killed by the kernel: init.sh[" + init + "], process 1 of its pid namespace",
                 "init.sh[" + init + "] ended ", "bpftrap why died " + init + "-"},
                {"came from"});
}

// Runs in a copy of the test, with a child that ends first.
int main_process(const Group& group, int status) {
  group.enter();
  if (pid_t helper = ::fork(); helper == 0) {
    ::_exit(0);
  } else {
    ::waitpid(helper, nullptr, 0);
  }
  return status;
}

TEST_F(WhyDiedTest, MainProcessOfAUnit) {
  std::string unit = "bpftrap-died-" + std::to_string(::getpid()) + ".service";
  std::unique_ptr<Group> group = limited_group("/" + unit);
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap recorder({"record", "-o", path_});
  await_recording(path_);
  SharedWords pids;
  Child([&] {
    ::prctl(PR_SET_NAME, "systemd");
    pid_t main = ::fork();
    if (main == 0) {
      ::_exit(main_process(*group, 7));
    }
    pids[0] = static_cast<std::uint64_t>(main);
    ::waitpid(main, nullptr, 0);
    return 0;
  }).wait();
  EXPECT_EQ(recorder.stop(), 0);
  expect_answer(unit, {"[" + std::to_string(pids[0]) + "] failed with status 7", unit});
}

TEST_F(WhyDiedTest, FirstProcessOfAContainerByItsId) {
  std::string pid = std::to_string(::getpid());
  std::string id = pid + std::string(64 - pid.size(), 'c');
  std::unique_ptr<Group> group = limited_group("/docker-" + id + ".scope");
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap recorder({"record", "-o", path_});
  await_recording(path_);
  Child([&] {
    enter_pid_namespace();
    return main_process(*group, 9);
  }).wait();
  EXPECT_EQ(recorder.stop(), 0);
  expect_answer(id.substr(0, 12), {"] failed with status 9", "container   " + id.substr(0, 12)});
  EXPECT_EQ(deaths(id).at(0).number("ns_pid"), 1U);
}

TEST_F(WhyDiedTest, UnknownAndRunning) {
  record("exit 3");
  Outcome unknown = why("nosuchprogram");
  EXPECT_EQ(unknown.status, 1);
  EXPECT_EQ(unknown.output, "");
  EXPECT_NE(unknown.errors.find(path_ + ": no end of 'nosuchprogram'; the recording spans "),
            std::string::npos)
      << unknown.errors;
  for (const char* who : {"x.timer", "", "a-name-of-17-bytes", "4711-", "deadbeef0000-"}) {
    EXPECT_EQ(why(who).status,
              std::string(who) == "4711-" || std::string(who) == "deadbeef0000-" ? 1 : 2)
        << who;
  }
  EXPECT_EQ(run_bpftrap({"why", "died"}).status, 2);

  std::filesystem::remove(path_);
  Bpftrap recorder({"record", "-o", path_});
  await_recording(path_);
  Child running([] { return exec_argv("/bin/sleep", {"sleep", "60"}, ""); });
  sleep_for(200ms);
  EXPECT_EQ(recorder.stop(), 0);
  Outcome still = why(std::to_string(running.pid()));
  EXPECT_EQ(still.status, 1);
  EXPECT_NE(still.errors.find("sleep[" + std::to_string(running.pid()) +
                              "] still ran at the end of the recording, which spans "),
            std::string::npos)
      << still.errors;
  // A recorder that has ended brings no news.
  EXPECT_EQ(why(std::to_string(running.pid()), {"--wait"}).status, 1);
}

// A recording of PROGRAM lists older processes, but not their ends.
TEST_F(WhyDiedTest, AProcessThatIsLeftOutIsNotSaidToRun) {
  // A process has the name of the link. busybox asks its first argument what it is.
  std::filesystem::create_symlink("/bin/sleep", directory_ / "outsider");
  Child outside([this] { return exec_argv(directory_ / "outsider", {"sleep", "60"}, ""); });
  sleep_for(100ms);
  std::string label = "outsider[" + std::to_string(outside.pid()) + "]";
  record("exit 3");
  Outcome left_out = why("outsider");
  EXPECT_EQ(left_out.status, 1);
  EXPECT_NE(left_out.errors.find("no end of 'outsider': filters may have left out " + label),
            std::string::npos)
      << left_out.errors;
  std::filesystem::remove(path_);
  std::filesystem::create_directory(directory_ / "inner");
  script("inner/outsider", "sleep 1");
  script("run.sh", "inner/outsider");
  Bpftrap recorder({"record", "-o", path_, "--", directory_ / "run.sh"});
  await_recording(path_);
  Outcome waiting = why("outsider", {"--wait"});
  EXPECT_EQ(waiting.status, 0) << waiting.errors;
  EXPECT_NE(waiting.output.find("] ended with status 0"), std::string::npos) << waiting.output;
  EXPECT_EQ(waiting.output.find(label), std::string::npos) << waiting.output;
  EXPECT_EQ(recorder.wait(), 0);
}

TEST_F(WhyDiedTest, DamageIsADoubt) {
  record("exit 3");
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size_of_file(path_) / 2));
    file << "damage";
  }
  Outcome unknown = why("nosuchprogram");
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.errors.find("1 damaged part is left out, the first at byte "),
            std::string::npos)
      << unknown.errors;
  // A file that is cut, as after a crash of the machine.
  record("exit 3");
  std::filesystem::resize_file(path_, size_of_file(path_) - 10);
  EXPECT_NE(why("nosuchprogram").errors.find("bytes are incomplete; its end may be missing"),
            std::string::npos);
  record("exit 3");
  EXPECT_EQ(why("run.sh").errors, "");
}

TEST_F(WhyDiedTest, WaitsForTheEnd) {
  Bpftrap recorder({"record", "-o", path_});
  await_recording(path_);
  Child running([] { return exec_argv("/bin/sleep", {"sleep", "60"}, ""); });
  sleep_for(1500ms);  // until the exec is in the file
  Bpftrap waiting({"why", "died", std::to_string(running.pid()), path_, "--wait"});
  EXPECT_TRUE(waiting.read_for(300ms));
  EXPECT_EQ(waiting.output(), "");
  running.kill(SIGTERM);
  running.wait();
  EXPECT_EQ(waiting.wait(), 0) << waiting.errors();
  EXPECT_NE(waiting.output().find("sleep[" + std::to_string(running.pid()) + "] was killed: "),
            std::string::npos)
      << waiting.output();
  EXPECT_EQ(recorder.stop(), 0);
}

TEST_F(WhyDiedTest, SeveralEndsInTheOrderOfTime) {
  script("one.sh", "exit $1");
  record("for i in 1 2 3 4 5; do ./one.sh $i; done");
  std::vector<Record> records = deaths("one.*", {"--last", "2"});
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].number("exit_code"), 4U);
  EXPECT_EQ(records[1].number("exit_code"), 5U);
  EXPECT_EQ(records[1].strings("args"), (Words{"/bin/sh", "./one.sh", "5"}));
  EXPECT_EQ(deaths("one.sh", {"--last", "9"}).size(), 5U);
}

}  // namespace
}  // namespace e2e
