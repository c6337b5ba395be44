// SPDX-License-Identifier: GPL-2.0-only
// Users, groups, capabilities, login, session and terminal in a record are those that the kernel
// tells the process itself.
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/failure.h"
#include "e2e/namespaces.h"

namespace e2e {
namespace {

using Said = std::map<std::string, std::string>;

class CredentialsTest : public TracingTest {
 protected:
  // Executes a program that says who it is, after `become` in the same process. `path` is this
  // program or a copy of it.
  void run(const std::function<void()>& become, const std::string& path = self_path()) {
    Bpftrap bpftrap({"exec", "--json"});
    bpftrap.await_start();
    int out[2];
    ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
    Child child([&] {
      int fd = ::dup(out[1]);  // without O_CLOEXEC
      become();
      return exec_argv(path, {path, "--workload", "say-identity", std::to_string(fd)}, "");
    });
    ::close(out[1]);
    std::string text;
    char buffer[512];
    for (ssize_t size = 0; (size = ::read(out[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(size));
    }
    ::close(out[0]);
    process_ = child.wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(process_.status, 0);
    std::istringstream lines(text);
    for (std::string key, value; lines >> key && std::getline(lines >> std::ws, value);) {
      said_[key] = value;
    }
    exec_ = bpftrap.record_of(process_, "exec");
    exit_ = bpftrap.record_of(process_, "exit");
    compare();
  }

  void compare() {
    for (const Record& record : {*exec_, *exit_}) {
      SCOPED_TRACE(record.kind());
      for (const char* key : {"euid", "egid", "session_id", "process_group"}) {
        EXPECT_EQ(std::to_string(record.number(key)), said_.at(key)) << key;
      }
      for (const char* key : {"login_uid", "audit_session"}) {
        // Without CONFIG_AUDIT there is no such file.
        const std::string& said = said_.count(key) != 0 ? said_.at(key) : "";
        std::optional<std::uint64_t> number = record.maybe_number(key);
        EXPECT_EQ(number ? std::to_string(*number) : "", said == "4294967295" ? "" : said) << key;
      }
    }
    EXPECT_EQ(exec_->text("cap_effective"), said_.at("cap_effective"));
    EXPECT_EQ(exec_->flag("secure"), said_.at("secure") == "1");
  }

  Ended process_;
  Said said_;
  std::optional<Record> exec_, exit_;
};

TEST_F(CredentialsTest, OfAnOrdinaryProgram) {
  run([] {});
  EXPECT_FALSE(exec_->flag("secure"));
}

TEST_F(CredentialsTest, OfAnotherUserInAnotherSession) {
  run([] {
    if (::setsid() < 0 || ::setpgid(0, 0) == 0 || ::setresgid(3001, 3002, 3002) != 0 ||
        ::setresuid(3003, 3004, 3004) != 0) {
      ::_exit(125);
    }
  });
  EXPECT_EQ(exec_->number("uid"), 3003U);
  EXPECT_EQ(exec_->number("euid"), 3004U);
  EXPECT_EQ(exec_->number("gid"), 3001U);
  EXPECT_EQ(exec_->number("egid"), 3002U);
  EXPECT_EQ(exec_->text("cap_effective"), std::string(16, '0'));
  EXPECT_TRUE(exec_->flag("secure")) << "real and effective user differ";
  EXPECT_EQ(exec_->number("session_id"), exec_->number("pid"));
  EXPECT_TRUE(exec_->is_null("tty"));
}

// CAP_NET_RAW and CAP_PERFMON lie in different words of the kernel's older kernel_cap_t.
TEST_F(CredentialsTest, OfRootWithSomeCapabilities) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root has capabilities to drop";
  }
  run([] {
    for (int capability = 0; capability < 64; ++capability) {
      if (capability != CAP_NET_RAW && capability != CAP_PERFMON) {
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
      }
    }
  });
  EXPECT_EQ(exec_->text("cap_effective"), "0000004000002000");
  EXPECT_FALSE(exec_->flag("secure"));
}

TEST_F(CredentialsTest, OfASetuidProgram) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  ScratchDir directory;
  const std::string path = directory.path() + "/setuid";
  std::filesystem::permissions(directory.path(), std::filesystem::perms{0755});
  std::filesystem::copy_file(self_path(), path);
  ASSERT_EQ(::chown(path.c_str(), 3005, 3006), 0);
  ASSERT_EQ(::chmod(path.c_str(), 06755), 0);
  run(
      [] {
        if (::setresgid(3001, 3001, 3001) != 0 || ::setresuid(3003, 3003, 3003) != 0) {
          ::_exit(125);
        }
      },
      path);
  if (said_.at("euid") != "3005") {
    GTEST_SKIP() << "set-user-ID files have no effect in " << directory.path();
  }
  EXPECT_TRUE(exec_->flag("secure"));
  EXPECT_EQ(exec_->number("uid"), 3003U);
  EXPECT_EQ(exec_->number("gid"), 3001U);
  EXPECT_EQ(exit_->number("euid"), 3005U);
  EXPECT_EQ(exit_->number("egid"), 3006U);
}

TEST_F(CredentialsTest, OfAProcessGroupInTheSameSession) {
  run([] { ::setpgid(0, 0); });
  EXPECT_EQ(exec_->number("process_group"), exec_->number("pid"));
  EXPECT_NE(exec_->number("session_id"), exec_->number("pid"));
}

TEST_F(CredentialsTest, SessionAndGroupAreNumbersOfTheInitialNamespace) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root may create pid namespaces";
  }
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended outside = Child([] {
                    enter_pid_namespace();
                    return ::setsid() == 1 ? exec_self({"exit", "0"}) : 125;
                  }).wait();
  EXPECT_EQ(outside.status, 0);
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const char* kind : {"exec", "exit"}) {
    std::vector<Record> found;
    for (const Record& record : bpftrap.records()) {
      if (record.kind() == kind && record.number("ppid") == static_cast<unsigned>(outside.pid)) {
        found.push_back(record);
      }
    }
    ASSERT_EQ(found.size(), 1U) << kind;
    EXPECT_EQ(found[0].number("ns_pid"), 1U);
    EXPECT_NE(found[0].number("pid"), 1U);
    EXPECT_EQ(found[0].number("session_id"), found[0].number("pid"));
    EXPECT_EQ(found[0].number("process_group"), found[0].number("pid"));
  }
}

TEST_F(CredentialsTest, OfALogin) {
  if (::access("/proc/self/loginuid", W_OK) != 0) {
    GTEST_SKIP() << "this kernel has no audit system (CONFIG_AUDIT)";
  }
  run([] { write_file("/proc/self/loginuid", "4242"); });
  if (said_.at("login_uid") != "4242") {
    GTEST_SKIP() << "the login user cannot be set (CAP_AUDIT_CONTROL)";
  }
  EXPECT_EQ(exec_->maybe_number("login_uid"), 4242U);
  EXPECT_FALSE(exec_->is_null("audit_session"));
}

TEST_F(CredentialsTest, OfATerminal) {
  int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) {
    GTEST_SKIP() << "there are no pseudoterminals";
  }
  const std::string path = ::ptsname(terminal);
  run([&] {
    ::setsid();
    int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (::ioctl(fd, TIOCSCTTY, 0) != 0) {
      ::_exit(125);
    }
  });
  EXPECT_EQ("/dev/" + exec_->text("tty"), path);
  EXPECT_EQ("/dev/" + exit_->text("tty"), path);
  ::close(terminal);
}

}  // namespace
}  // namespace e2e
