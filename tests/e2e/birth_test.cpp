// SPDX-License-Identifier: GPL-2.0-only
// Births: with them the stream is a complete genealogy.
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

class BirthTest : public TracingTest {
 protected:
  // Every parent has an earlier record, or is older than bpftrap. Returns the number of births.
  static std::size_t check_genealogy(const std::vector<Record>& records) {
    std::uint64_t live = records.front().number("boot_ns");
    std::set<std::string> known;
    std::size_t births = 0;
    for (const Record& record : records) {
      if (!record.has("id")) {
        continue;
      }
      if (record.kind() == "fork") {
        ++births;
        EXPECT_FALSE(known.contains(record.text("id"))) << "a birth comes first";
      }
      if (std::optional<std::string> parent = record.maybe_text("parent_id")) {
        std::uint64_t start = std::stoull(parent->substr(parent->find('-') + 1));
        EXPECT_TRUE(start < live || known.contains(*parent))
            << record.kind() << " of " << record.text("id") << " with parent " << *parent;
      }
      known.insert(record.text("id"));
    }
    return births;
  }

  static std::vector<Record> trace_shell(const std::string& script) {
    Bpftrap bpftrap({"exec", "--json", "--event", "exec,fork,exit", "--wait-all", "--", "/bin/sh",
                     "-c", script});
    EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
    return bpftrap.records();
  }

  static std::size_t count(const std::vector<Record>& records, const std::string& kind) {
    std::size_t number = 0;
    for (const Record& record : records) {
      number += record.kind() == kind ? 1 : 0;
    }
    return number;
  }
};

TEST_F(BirthTest, OfSubshells) {
  std::vector<Record> records = trace_shell("(sleep 0.01; true) & wait");
  EXPECT_EQ(check_genealogy(records), 2U) << "the subshell and sleep";
  EXPECT_EQ(count(records, "exec"), 2U) << "sh and sleep";
  EXPECT_EQ(count(records, "exit"), 3U);
}

TEST_F(BirthTest, OfShellsInShells) {
  std::vector<Record> records = trace_shell(
      "for i in 1 2 3; do (echo $(cat /proc/version | wc -l) | cat | (cat; (:))) > /dev/null & "
      "done; wait; exec sh -c '(:); (sleep 0.05; sleep 0) &'");
  EXPECT_GE(check_genealogy(records), 20U);
  EXPECT_EQ(count(records, "fork") + 1, count(records, "exit")) << "the shell itself is older";
}

TEST_F(BirthTest, OfABuild) {
  if (::access("/usr/bin/make", X_OK) != 0 || ::access("/usr/bin/cc", X_OK) != 0) {
    GTEST_SKIP() << "make and cc are not installed";
  }
  ScratchDir directory;
  std::ofstream(directory / "Makefile")
      << "OBJECTS = a.o b.o c.o\nall: $(OBJECTS)\n\t$(CC) -o all $(OBJECTS)\n";
  std::ofstream(directory / "a.c") << "int main(void) { return 0; }\n";
  std::ofstream(directory / "b.c") << "int b;\n";
  std::ofstream(directory / "c.c") << "int c;\n";
  std::vector<Record> records =
      trace_shell("PATH=/usr/bin:/bin make -s -j3 -C " + directory.path());
  EXPECT_GE(check_genealogy(records), 10U);
  EXPECT_EQ(::access((directory / "all").c_str(), X_OK), 0);
}

TEST_F(BirthTest, TellsTheChildAtItsBirth) {
  Bpftrap bpftrap({"exec", "--json", "--event", "+fork"});
  bpftrap.await_start();
  Ended process = run_workload({"nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  Record birth = bpftrap.record_of(process, "fork");
  Record exec = bpftrap.record_of(process, "exec");
  std::uint64_t at = birth.number("boot_ns");
  EXPECT_GE(at, process.before_fork);
  EXPECT_LE(at, exec.number("boot_ns"));
  EXPECT_EQ(birth.number("ppid"), static_cast<std::uint64_t>(::getpid()));
  EXPECT_EQ(birth.text("comm"), birth.text("parent_comm")) << "it has executed nothing yet";
  for (const char* key : {"id", "parent_id", "cgroup"}) {
    EXPECT_EQ(birth.maybe_text(key), exec.maybe_text(key)) << key;
  }
  for (const char* key :
       {"uid", "gid", "euid", "egid", "session_id", "process_group", "pid_ns_inode", "ns_pid"}) {
    EXPECT_EQ(birth.number(key), exec.number(key)) << key;
  }
}

TEST_F(BirthTest, ThreadsAreNone) {
  Bpftrap bpftrap({"exec", "--json", "--event", "+fork"});
  bpftrap.await_start();
  Ended process = run_workload({"then-from-thread", "nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  bpftrap.record_of(process, "fork");
  for (const Record& record : bpftrap.records()) {
    EXPECT_FALSE(record.kind() == "fork" &&
                 record.number("ppid") == static_cast<std::uint64_t>(process.pid));
  }
}

// A child of the caller's parent: the real parent is not the process that forked.
TEST_F(BirthTest, ParentIsTheRealOne) {
  Bpftrap bpftrap({"exit", "--json", "--event", "+fork"});
  bpftrap.await_start();
  SharedWords words;
  Ended creator = Child([&] {
                    clone_args args{};
                    args.flags = CLONE_PARENT;
                    long pid = ::syscall(SYS_clone3, &args, sizeof args);
                    if (pid == 0) {
                      ::_exit(0);
                    }
                    words[0] = static_cast<std::uint64_t>(pid);
                    return 0;
                  }).wait();
  std::uint64_t child = words[0];
  int status = 0;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(child), &status, __WALL), static_cast<pid_t>(child));
  EXPECT_EQ(bpftrap.stop(), 0);
  std::size_t births = 0;
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "fork" && record.number("pid") == child) {
      ++births;
      EXPECT_EQ(record.number("ppid"), static_cast<std::uint64_t>(::getpid()));
    }
  }
  EXPECT_EQ(births, 1U);
  EXPECT_EQ(bpftrap.records_of(creator, "fork").size(), 1U);
}

TEST_F(BirthTest, PassTheFilters) {
  std::string root = hierarchy();
  if (root.empty()) {
    GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
  }
  Group group(root + "/bpftrap-e2e-birth-" + std::to_string(::getpid()));
  auto births = [&](const std::vector<std::string>& filter) {
    std::vector<std::string> args{"exec", "--json", "--event", "fork"};
    args.insert(args.end(), filter.begin(), filter.end());
    Bpftrap bpftrap(args);
    bpftrap.await_start();
    SharedWords words;
    Ended parent = Child([&] {
                     group.enter();
                     if (::setresuid(4711, 4711, 4711) != 0) {
                       ::_exit(125);
                     }
                     pid_t child = ::fork();
                     if (child == 0) {
                       ::_exit(0);
                     }
                     ::waitpid(child, nullptr, 0);
                     return 0;
                   }).wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(parent.status, 0);
    std::size_t found = bpftrap.records_of(parent, "fork").size() * 10;
    for (const Record& record : bpftrap.records()) {
      found +=
          record.has("ppid") && record.number("ppid") == static_cast<std::uint64_t>(parent.pid);
    }
    return found;
  };
  EXPECT_EQ(births({}), 11U) << "parent and child";
  EXPECT_EQ(births({"--user", "4711"}), 1U) << "the parent was born as another user";
  EXPECT_EQ(births({"--cgroup", group.path()}), 1U) << "the parent was born elsewhere";
  EXPECT_EQ(births({"--name", "no-such-name"}), 0U);
  const std::string name = self_path().substr(self_path().rfind('/') + 1).substr(0, 15);
  EXPECT_EQ(births({"--exclude-name", name}), 0U) << "a child has the name of its parent";
  EXPECT_EQ(births({"--exclude-name", "no-such-name"}), 11U);
  EXPECT_EQ(births({"--pid", std::to_string(::getpid())}), 0U);
  EXPECT_EQ(births({"--tree", std::to_string(::getpid())}), 11U);
}

}  // namespace
}  // namespace e2e
