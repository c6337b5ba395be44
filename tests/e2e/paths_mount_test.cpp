// SPDX-License-Identifier: GPL-2.0-only
// `exe` and `cwd` across mounts, and in other root directories and mount namespaces.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "e2e/links.h"

namespace e2e {
namespace {

class PathsMountTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    if (!IsSkipped() && ::geteuid() != 0) {
      GTEST_SKIP() << "only root can mount and change the root directory";
    }
  }

  ScratchDir scratch_;
};

void make(const std::string& directory) {
  std::filesystem::create_directories(directory);
}

// Goes into a mount namespace whose mounts do not leave it.
void leave_mounts() {
  must(::unshare(CLONE_NEWNS), "unshare");
  must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
}

void bind_mount(const std::string& from, const std::string& to) {
  must(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), "bind");
}

void mount_tmpfs(const std::string& at) {
  must(::mount("none", at.c_str(), "tmpfs", 0, nullptr), "mount tmpfs");
}

void change_root(const std::string& root, const std::string& directory) {
  must(::chroot(root.c_str()), "chroot");
  must(::chdir(directory.c_str()), "chdir");
}

void expect_paths(const Described& described, const std::string& exe, const std::string& cwd) {
  EXPECT_EQ(described.links.exe, exe) << "as the process reads it";
  EXPECT_EQ(described.links.cwd, cwd) << "as the process reads it";
  for (const Record& record : {described.exec, described.exit}) {
    EXPECT_EQ(record.maybe_text("exe"), exe);
    EXPECT_EQ(record.maybe_text("cwd"), cwd);
  }
}

TEST_F(PathsMountTest, Chroot) {
  make(scratch_ / "root/sub");
  copy_self(scratch_ / "root/program");
  for (const char* directory : {"/", "/sub"}) {
    Described described = describe([&] { change_root(scratch_ / "root", directory); }, "/program");
    expect_paths(described, "/program", directory);
  }
}

// The kernel shows such a path from the top of the mounts, which would be another file inside.
TEST_F(PathsMountTest, OutsideTheRootIsUnknown) {
  make(scratch_ / "root");
  make(scratch_ / "outside");
  int program = ::open(self_path().c_str(), O_PATH | O_CLOEXEC);
  Described described = describe_by(
      [&] {
        must(::chdir((scratch_ / "outside").c_str()), "chdir");
        must(::chroot((scratch_ / "root").c_str()), "chroot");
      },
      [&](auto argv, auto envp) {
        ::syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
      });
  ::close(program);
  EXPECT_EQ(described.links.cwd, scratch_ / "outside");
  EXPECT_TRUE(described.exec.is_null("exe"));
  EXPECT_TRUE(described.exec.is_null("cwd"));
  EXPECT_FALSE(described.exec.flag("exe_deleted"));
  EXPECT_TRUE(described.exit.is_null("exe"));
}

TEST_F(PathsMountTest, BindMountsAndMountsInMounts) {
  for (const char* name : {"a/b/c", "x/y"}) {
    make(scratch_ / name);
  }
  Described described = describe(
      [&] {
        leave_mounts();
        bind_mount(scratch_ / "a", scratch_ / "x/y");
        mount_tmpfs(scratch_ / "x/y/b");
        make(scratch_ / "x/y/b/t");
        copy_self(scratch_ / "x/y/b/program");
        bind_mount(scratch_ / "x/y/b", scratch_ / "x/y/b/t");
        must(::chdir((scratch_ / "x/y/b/t").c_str()), "chdir");
      },
      scratch_ / "x/y/b/t/program");
  expect_paths(described, scratch_ / "x/y/b/t/program", scratch_ / "x/y/b/t");
}

TEST_F(PathsMountTest, BoundFile) {
  copy_self(scratch_ / "program");
  std::ofstream(scratch_ / "place") << "";
  Described described = describe(
      [&] {
        leave_mounts();
        bind_mount(scratch_ / "program", scratch_ / "place");
        must(::chdir("/"), "chdir");
      },
      scratch_ / "place");
  expect_paths(described, scratch_ / "place", "/");
}

// Mounts one at base/merged. Returns false if the kernel has no overlayfs.
bool mount_overlay(const std::string& base) {
  mount_tmpfs(base);
  for (const char* name : {"/lower/dir", "/upper", "/work", "/merged"}) {
    make(base + name);
  }
  copy_self(base + "/lower/program");
  std::string layers =
      "lowerdir=" + base + "/lower,upperdir=" + base + "/upper,workdir=" + base + "/work";
  return ::mount("none", (base + "/merged").c_str(), "overlay", 0, layers.c_str()) == 0;
}

TEST_F(PathsMountTest, Overlay) {
  const std::string base = scratch_ / "all";
  make(base);
  Ended probe = Child([&] {
                  leave_mounts();
                  return mount_overlay(base) ? 0 : 77;
                }).wait();
  if (WEXITSTATUS(probe.status) == 77) {
    GTEST_SKIP() << "this kernel has no overlayfs";
  }
  Described described = describe(
      [&] {
        leave_mounts();
        mount_overlay(base);
        must(::chdir((base + "/merged/dir").c_str()), "chdir");
      },
      base + "/merged/program");
  expect_paths(described, base + "/merged/program", base + "/merged/dir");
}

// As container runtimes and bubblewrap do it.
void pivot_root(const std::string& root) {
  mount_tmpfs(root);
  for (const char* name : {"/dir", "/old", "/bound"}) {
    make(root + name);
  }
  copy_self(root + "/program");
  bind_mount(root + "/dir", root + "/bound");
  if (::syscall(SYS_pivot_root, root.c_str(), (root + "/old").c_str()) == 0) {
    must(::chdir("/bound"), "chdir");
    must(::umount2("/old", MNT_DETACH), "umount");
    return;
  }
  // The root of an initramfs cannot be replaced: cover it, as runtimes do there.
  must(::chdir(root.c_str()), "chdir");
  must(::mount(root.c_str(), "/", nullptr, MS_MOVE, nullptr), "move mount");
  change_root(".", "/bound");
}

TEST_F(PathsMountTest, PivotRoot) {
  make(scratch_ / "root");
  Described described = describe(
      [&] {
        leave_mounts();
        pivot_root(scratch_ / "root");
      },
      "/program");
  expect_paths(described, "/program", "/bound");
}

TEST_F(PathsMountTest, DirectoryThatWasUnmounted) {
  make(scratch_ / "mount");
  Described described = describe(
      [&] {
        leave_mounts();
        mount_tmpfs(scratch_ / "mount");
        make(scratch_ / "mount/dir");
        must(::chdir((scratch_ / "mount/dir").c_str()), "chdir");
        must(::umount2((scratch_ / "mount").c_str(), MNT_DETACH), "umount");
      },
      self_path());
  EXPECT_TRUE(described.exec.is_null("cwd")) << "the kernel shows a path below no root";
  EXPECT_EQ(described.exec.text("exe"), self_path());
}

TEST_F(PathsMountTest, OlderProcessInAnotherRoot) {
  make(scratch_ / "root/sub");
  copy_self(scratch_ / "root/program");
  Child child([&] {
    change_root(scratch_ / "root", "/sub");
    return exec_argv("/program", {"x", "--workload", "pause"}, "");
  });
  sleep_for(std::chrono::milliseconds(100));
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  sleep_for(std::chrono::seconds(1));  // bpftrap reads /proc meanwhile
  child.kill(SIGKILL);
  Ended process = child.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record exit = bpftrap.record_of(process, "exit");
  EXPECT_EQ(exit.maybe_text("exe"), "/program");
  EXPECT_EQ(exit.maybe_text("cwd"), "/sub");
}

}  // namespace
}  // namespace e2e
