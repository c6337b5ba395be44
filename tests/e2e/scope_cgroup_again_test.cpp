// SPDX-License-Identifier: GPL-2.0-only
// --cgroup: directories that are removed and made again, as service managers do at each restart.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "e2e/cgroup_scope_fixture.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class CgroupAgainTest : public CgroupScopeTest {
 protected:
  void SetUp() override {
    CgroupScopeTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    base_ = root_ + "/" + name_;
    ::mkdir(base_.c_str(), 0755);
  }
  void TearDown() override {
    while (!made_.empty()) {
      remove(made_.back());
    }
    ::rmdir(base_.c_str());
  }

  // Paths are below base_.
  void make(const std::string& path) {
    ASSERT_EQ(::mkdir((base_ + "/" + path).c_str(), 0755), 0) << path;
    made_.push_back(path);
  }
  // A cgroup is busy until the kernel is through with its last process.
  void remove(const std::string& path) {
    for (int i = 0; ::rmdir((base_ + "/" + path).c_str()) != 0 && errno == EBUSY && i < 10'000;
         ++i) {
      sleep_for(1ms);
    }
    made_.erase(std::remove(made_.begin(), made_.end(), path), made_.end());
  }
  Ended run_in(const std::string& path) {
    return Child([&] {
             return write_file(base_ + "/" + path + "/cgroup.procs", "0")
                        ? exec_argv(tiny_, {tiny_})
                        : 125;
           })
        .wait();
  }
  // Runs one, which has to be able to.
  void run_wanted(const std::string& path) {
    wanted_.push_back(run_in(path));
    ASSERT_EQ(wanted_.back().status, 7 << 8) << path;
  }
  void run_unwanted(const std::string& path) { ASSERT_EQ(run_in(path).status, 7 << 8) << path; }

  const std::string name_ = "bpftrap-e2e-again-" + std::to_string(::getpid());
  std::string base_;
  std::vector<std::string> made_;
  std::vector<Ended> wanted_;
};

TEST_F(CgroupAgainTest, EachLifeOfTheDirectory) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    make("unit");
    Bpftrap bpftrap({command, "--json", "--cgroup", base_ + "/unit"});
    bpftrap.await_start();
    wanted_.clear();
    for (int life = 0; life < 20; ++life) {
      run_wanted("unit");
      make("unit/below");
      run_wanted("unit/below");
      remove("unit/below");
      remove("unit");
      // Neither a neighbour nor one of the same name elsewhere.
      make("other");
      make("other/unit");
      run_unwanted("other/unit");
      run_unwanted("other");
      remove("other/unit");
      remove("other");
      make("unit");
    }
    remove("unit");
    expect_only(bpftrap, wanted_, command[2] == 'e' ? 1 : 0);
  }
}

TEST_F(CgroupAgainTest, DirectoriesAboveToo) {
  for (const char* path : {"a", "a/b", "a/b/c"}) {
    make(path);
  }
  Bpftrap bpftrap({"exec", "--json", "-g", name_ + "/a/b/c"});
  bpftrap.await_start();
  for (int life = 0; life < 20; ++life) {
    run_wanted("a/b/c");
    for (const char* path : {"a/b/c", "a/b", "a"}) {
      remove(path);
    }
    make("a");
    make("a/c");
    make("b");
    make("b/c");
    run_unwanted("a");
    run_unwanted("a/c");
    run_unwanted("b/c");
    for (const char* path : {"a/c", "b/c", "b"}) {
      remove(path);
    }
    make("a/b");
    run_unwanted("a/b");
    make("a/b/c");
    make("a/b/c/d");
    run_wanted("a/b/c/d");
    remove("a/b/c/d");
  }
  expect_only(bpftrap, wanted_, 1);
}

TEST_F(CgroupAgainTest, EachOfEight) {
  Words arguments{"exec", "--json"};
  for (int i = 0; i < 8; ++i) {
    std::string path = "unit-" + std::to_string(i);
    make(path);
    arguments.insert(arguments.end(), {"-g", base_ + "/" + path});
  }
  make("unit-8");
  Bpftrap bpftrap(arguments);
  bpftrap.await_start();
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 8; ++i) {
      run_wanted("unit-" + std::to_string(i));
    }
    run_unwanted("unit-8");
    for (int i = 0; i < 9; ++i) {
      remove("unit-" + std::to_string(i));
    }
    for (int i = 8; i >= 0; --i) {
      make("unit-" + std::to_string(i));
    }
  }
  expect_only(bpftrap, wanted_, 1);
}

// One directory above the other: each may go alone.
TEST_F(CgroupAgainTest, OneBelowTheOther) {
  make("a");
  make("a/b");
  Bpftrap bpftrap({"exec", "--json", "-g", base_ + "/a/b", "-g", base_ + "/a"});
  bpftrap.await_start();
  for (int life = 0; life < 3; ++life) {
    run_wanted("a");
    run_wanted("a/b");
    remove("a/b");
    make("a/b");
    run_wanted("a/b");
    remove("a/b");
    remove("a");
    make("a");
    make("a/b");
  }
  expect_only(bpftrap, wanted_, 1);
}

// The directory is removed and made again while bpftrap starts.
TEST_F(CgroupAgainTest, WhileTracingStarts) {
  make("a");
  make("a/unit");
  for (int round = 0; round < 20; ++round) {
    SharedWords over;
    Child restarts([&] {
      while (over[0] == 0) {
        for (const char* path : {"/a/unit", "/a"}) {
          ::rmdir((base_ + path).c_str());
        }
        for (const char* path : {"/a", "/a/unit"}) {
          ::mkdir((base_ + path).c_str(), 0755);
        }
        // There has to be a time at which the directory can be named.
        sleep_for(std::chrono::microseconds(500));
      }
      return 0;
    });
    std::optional<Bpftrap> bpftrap;
    for (int attempt = 0; attempt < 20; ++attempt) {
      bpftrap.emplace(Words{"exec", "--json", "-g", base_ + "/a/unit"});
      try {
        bpftrap->await_start();
        break;
      } catch (const Failure&) {
        // It came while there was no such directory.
        ASSERT_EQ(bpftrap->wait(), 1);
      }
    }
    over[0] = 1;
    restarts.wait();
    wanted_ = {};
    run_wanted("a/unit");
    run_unwanted("a");
    EXPECT_EQ(bpftrap->stop(), 0);
    EXPECT_EQ(bpftrap->records_of(wanted_[0]).size(), 2U) << "round " << round;
    EXPECT_EQ(bpftrap->records().size(), 4U);
  }
}

// In a cgroup namespace the path of the mount is unknown.
TEST_F(CgroupAgainTest, InACgroupNamespace) {
  make("inside");
  make("inside/unit");
  std::string mount = directory_ / "mount";
  ::mkdir(mount.c_str(), 0755);
  Bpftrap bpftrap({"exec", "--json", "-g", mount + "/unit"}, {.before_exec = [&] {
                    bool there = write_file(base_ + "/inside/cgroup.procs", "0") &&
                                 ::unshare(CLONE_NEWCGROUP | CLONE_NEWNS) == 0 &&
                                 ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                                 ::mount("cgroup2", mount.c_str(), "cgroup2", 0, nullptr) == 0;
                    if (!there || !write_file(root_ + "/cgroup.procs", "0")) {
                      ::_exit(124);
                    }
                  }});
  bpftrap.await_start();
  for (int life = 0; life < 3; ++life) {
    run_wanted("inside/unit");
    run_unwanted("inside");
    remove("inside/unit");
    make("inside/unit");
  }
  expect_only(bpftrap, wanted_, 1);
}

// v1 has ids of its own, and directories of the same name.
TEST_F(CgroupAgainTest, NotByADirectoryOfV1) {
  std::string v1 = hierarchy("pids");
  if (v1.empty()) {
    GTEST_SKIP() << "no v1 hierarchy is mounted";
  }
  make("unit");
  Bpftrap bpftrap({"exec", "--json", "-g", base_ + "/unit"});
  bpftrap.await_start();
  for (int i = 0; i < 20; ++i) {
    Group above(v1 + "/" + name_);
    Group same(above.path() + "/unit");
    Ended unwanted = Child([&] {
                       same.enter();
                       return exec_argv(tiny_, {tiny_});
                     }).wait();
    ASSERT_EQ(unwanted.status, 7 << 8);
  }
  run_wanted("unit");
  expect_only(bpftrap, wanted_, 1);
}

// v2 allows no rename, so a path always is the same directory.
TEST_F(CgroupAgainTest, RenameIsImpossible) {
  make("unit");
  EXPECT_NE(::rename((base_ + "/unit").c_str(), (base_ + "/other").c_str()), 0);
}

TEST_F(CgroupAgainTest, MoreThan32LevelsAreRefused) {
  std::string path;
  for (int level = 0; level < 32; ++level) {
    path += path.empty() ? "d" : "/d";
    make(path);
  }
  Outcome outcome = run_bpftrap({"exec", "--cgroup", base_ + "/" + path});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("more than 32 levels deep (--cgroup); give one above it"),
            std::string::npos)
      << outcome.errors;
}

}  // namespace
}  // namespace e2e
