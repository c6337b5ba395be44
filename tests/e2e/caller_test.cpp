// SPDX-License-Identifier: GPL-2.0-only
// `-- PROGRAM` under the real sudo and doas, configured in a mount namespace: PROGRAM runs as its
// caller would have run it.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "e2e/file_capabilities.h"
#include "e2e/program_fixture.h"

namespace e2e {
namespace {

constexpr uid_t caller_uid = 54321;
constexpr gid_t caller_gid = 54322;
constexpr const char* users =
    "root:x:0:0:root:/root:/bin/sh\n"
    "e2e-caller:*:54321:54322::/home/e2e-caller:/bin/sh\n"
    "e2e-other:*:54325:54326::/home/e2e-other:/bin/sh\n";
constexpr const char* groups =
    "root:x:0:\n"
    "e2e-caller:x:54322:\n"
    "e2e-other:x:54326:\n"
    "e2e-file:x:54330:e2e-caller\n";
constexpr const char* permissive_pam =
    "auth required pam_permit.so\n"
    "account required pam_permit.so\n"
    "session required pam_permit.so\n";
constexpr const char* secure_path = "/usr/sbin:/usr/bin:/sbin:/bin";
const Words sudo{"/usr/bin/sudo", "-n"};
const Words doas{"/usr/bin/doas", "-n"};

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  ::chmod(path.c_str(), mode);
}

class CallerTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can configure sudo";
    }
    ::chmod(directory_.path().c_str(), 0755);
    bin_ = directory_ / "bin";
    std::filesystem::create_directory(bin_);
    std::filesystem::copy_file(self_path(), bin_ + "/mytool");
    ::chmod((bin_ + "/mytool").c_str(), 0755);
    environment_ = {"PATH=" + bin_ + ":/usr/bin:/bin", "CI=yes", "HOME=/elsewhere", "TERM=vt52"};
    require(sudo.front());
  }

  // Skips the test if the tool cannot make this user root here.
  void require(const std::string& tool) {
    if (::access(tool.c_str(), X_OK) != 0) {
      GTEST_SKIP() << tool << " is not installed";
    }
    Child probe([&] {
      become_caller();
      ::execl(tool.c_str(), tool.c_str(), "-n", "/bin/true", nullptr);
      return 127;
    });
    if (probe.wait().status != 0) {
      GTEST_SKIP() << tool << " does not work here";
    }
  }

  // Only for this process and its children: /etc of the test's own, and the caller's ids.
  void become_caller() const {
    std::string layers = directory_ / "layers";
    std::string options = "lowerdir=/etc,upperdir=" + layers + "/upper,workdir=" + layers + "/work";
    ::mkdir(layers.c_str(), 0700);
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", layers.c_str(), "tmpfs", 0, nullptr) != 0 ||
        ::mkdir((layers + "/upper").c_str(), 0755) != 0 ||
        ::mkdir((layers + "/work").c_str(), 0755) != 0 ||
        ::mount("overlay", "/etc", "overlay", 0, options.c_str()) != 0) {
      ::_exit(71);
    }
    write_file("/etc/passwd", users, 0644);
    write_file("/etc/group", groups, 0644);
    write_file("/etc/pam.d/sudo", permissive_pam, 0644);
    write_file("/etc/pam.d/doas", permissive_pam, 0644);
    write_file("/etc/doas.conf", "permit nopass e2e-caller\npermit nopass root\n", 0400);
    write_file("/etc/sudoers",
               "Defaults env_reset\nDefaults secure_path=\"" + std::string(secure_path) + "\"\n" +
                   defaults_ + "\nroot ALL=(ALL:ALL) ALL\n" + "e2e-caller ALL=(ALL:ALL) NOPASSWD:" +
                   (may_set_variables_ ? "SETENV:" : "") + " ALL\n",
               0440);
    if (::syscall(SYS_setgroups, caller_groups_.size(), caller_groups_.data()) != 0 ||
        ::setresgid(caller_gid, caller_gid, caller_gid) != 0 ||
        ::setresuid(caller_uid, caller_uid, caller_uid) != 0) {
      ::_exit(72);
    }
  }

  Bpftrap::Setup called_by(const Words& launcher) const {
    Bpftrap::Setup setup;
    setup.environment = environment_;
    setup.launcher = launcher;
    setup.before_exec = [this] { become_caller(); };
    return setup;
  }

  // The lines that `mytool`, looked for in PATH, says of itself.
  Words said(const Words& launcher, const std::string& tool = "mytool") {
    Bpftrap bpftrap({"exec", "--json", "--", tool, "--workload", "say-environment"},
                    called_by(launcher));
    EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
    Words lines;
    std::string text = bpftrap.errors();
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      lines.push_back(text.substr(0, end));
    }
    return lines;
  }

  // A script that everybody may run.
  std::string script(const std::string& name, const std::string& text) const {
    write_file(directory_ / name, "#!/bin/sh\n" + text + "\n", 0755);
    return directory_ / name;
  }

  // As a shell runs a command, so that sudo's caller lives on.
  static Words from_shell(const Words& launcher) {
    return Words{"/bin/sh", "-c", "\"$@\"; exit $?", "sh"} + launcher;
  }

  // These lines if it runs as the caller, with the caller's variables and more.
  Words caller_says(const Words& more = {}, const std::string& group = "54322 54330") const {
    Words variables = environment_ + more;
    std::sort(variables.begin(), variables.end());
    return Words{"ids 54321 54321 54322 54322", "groups " + group} + variables;
  }

  std::string bin_;
  std::string defaults_ = "Defaults !use_pty";
  bool may_set_variables_ = false;
  std::vector<gid_t> caller_groups_ = {caller_gid};
  Words environment_;
};

TEST_F(CallerTest, EnvironmentAndPathAreTheCallers) {
  EXPECT_EQ(said(sudo), caller_says());
}

TEST_F(CallerTest, VariablesOfTheLoaderReachProgramOnly) {
  environment_ =
      environment_ + Words{"LD_PRELOAD=/nonexistent.so", "LD_LIBRARY_PATH=/x", "BASH_ENV=/y"};
  // Forged ones have no say in whom PROGRAM runs as.
  environment_ =
      environment_ + Words{"SUDO_UID=0", "SUDO_GID=0", "SUDO_USER=root", "DOAS_USER=root"};
  EXPECT_EQ(said(sudo), caller_says());
}

TEST_F(CallerTest, EnvironmentHasNoEffectOnBpftrap) {
  environment_ = environment_ + Words{"NO_COLOR=1", "TZ=Asia/Tokyo", "BPFTRAP_E2E=1"};
  defaults_ += "\nDefaults env_delete += \"TZ\", env_check -= \"TZ\"";
  std::string own = directory_ / "own";
  Bpftrap bpftrap({"exec", "--json", "--", "/bin/sh", "-c",
                   "test -n \"$NO_COLOR\" && test -r /proc/$PPID/stat"},
                  called_by(sudo + Words{script("keep-own", "env >" + own + "\nexec \"$@\"")}));
  EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  for (const std::string& line : lines_of_file(own)) {
    EXPECT_NE(line.rfind("NO_COLOR", 0), 0U);
    EXPECT_NE(line.rfind("TZ", 0), 0U);
  }
}

TEST_F(CallerTest, VariablesOnTheCommandLineOfSudoAreKept) {
  may_set_variables_ = true;
  environment_.push_back("REPLACED=1");
  Words expected = caller_says({"BAR=2"});
  std::replace(expected.begin(), expected.end(), std::string("REPLACED=1"),
               std::string("REPLACED=3"));
  EXPECT_EQ(said(sudo + Words{"BAR=2", "REPLACED=3"}), expected);
  EXPECT_EQ(said(sudo + Words{"/usr/bin/env", "BAR=2", "REPLACED=3"}), expected);
}

TEST_F(CallerTest, VariablesThatSudoKeepsAreThereOnce) {
  defaults_ += "\nDefaults env_keep += \"CI HOME\"";
  EXPECT_EQ(said(sudo), caller_says());
  may_set_variables_ = true;
  EXPECT_EQ(said(sudo + Words{"-E"}), caller_says());
}

TEST_F(CallerTest, MonitorOfAPseudoterminal) {
  defaults_ = "Defaults use_pty";
  int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(master, 0);
  ASSERT_EQ(::grantpt(master), 0);
  ASSERT_EQ(::unlockpt(master), 0);
  std::string terminal = ::ptsname(master);
  ::chown(terminal.c_str(), caller_uid, caller_gid);
  Bpftrap::Setup setup = called_by(sudo);
  setup.before_exec = [&] {
    ::setsid();
    ::open(terminal.c_str(), O_RDWR);  // becomes the controlling terminal
    become_caller();
  };
  // bpftrap, its parent, and the one above that.
  std::string parents = script("parents",
                               "read -r _ _ _ parent _ </proc/$PPID/stat\n"
                               "read -r _ _ _ above _ </proc/$parent/stat\n"
                               "read -r name </proc/$parent/comm\n"
                               "read -r name_above </proc/$above/comm\n"
                               "echo \"$name $name_above $CI\" >&2");
  Bpftrap bpftrap({"exec", "--json", "--", parents}, setup);
  EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  EXPECT_EQ(bpftrap.errors(), "sudo sudo yes\n");
  ::close(master);
}

TEST_F(CallerTest, GroupsAreThoseOfTheCallingProcess) {
  caller_groups_ = {54340, 54322, 4};
  EXPECT_EQ(said(from_shell(sudo)).at(1), "groups 4 54322 54340");
  EXPECT_EQ(said(sudo).at(1), "groups 54322 54330") << "called by a process of another user";
}

TEST_F(CallerTest, WithoutSessionsItIsBpftrapsOwnEnvironment) {
  defaults_ += "\nDefaults !pam_session, !pam_setcred";
  EXPECT_EQ(said(sudo, bin_ + "/mytool"),
            (Words{"ids 54321 54321 54322 54322", "groups 54322 54330", "HOME=/home/e2e-caller",
                   "LOGNAME=e2e-caller", "PATH=" + std::string(secure_path), "SHELL=/bin/sh",
                   "TERM=vt52", "USER=e2e-caller"}));
  Bpftrap bpftrap({"exec", "--json", "--", "mytool"}, called_by(sudo));
  EXPECT_EQ(bpftrap.wait(), 127);
  EXPECT_EQ(
      bpftrap.errors(),
      "bpftrap: cannot execute 'mytool': No such file or directory; sudo may have reset PATH: "
      "give the program's path\n");
}

TEST_F(CallerTest, OtherParentsAreNotAsked) {
  Words lines = said(sudo + Words{"/bin/sh", "-c", "\"$@\"; exit $?", "sh"}, bin_ + "/mytool");
  EXPECT_EQ(lines.at(0), "ids 54321 54321 54322 54322");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "CI=yes"), 0);
}

TEST_F(CallerTest, SudoInSudoIsCalledByRoot) {
  Words lines = said(sudo + sudo, bin_ + "/mytool");
  EXPECT_EQ(lines.at(0), "ids 0 0 0 0");
  // As the outer sudo left it for the inner one.
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "PATH=" + std::string(secure_path)), 1);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "SUDO_UID=54321"), 1);
}

TEST_F(CallerTest, EnvironmentOfTheOuterCallerNeverReachesRootsProgram) {
  // root's sudo executes bpftrap itself, so that its parent is the caller's sudo.
  defaults_ += "\nDefaults:root !pam_session, !pam_setcred";
  environment_.push_back("LD_PRELOAD=/nonexistent.so");
  Words lines = said(sudo + sudo, bin_ + "/mytool");
  EXPECT_EQ(lines.at(0), "ids 0 0 0 0");
  for (const char* variable : {"CI=yes", "LD_PRELOAD=/nonexistent.so"}) {
    EXPECT_EQ(std::count(lines.begin(), lines.end(), variable), 0) << variable;
  }
}

TEST_F(CallerTest, AnotherTargetUserRunsItAsItself) {
  std::string bpftrap = directory_ / "bpftrap";
  std::filesystem::copy_file(Bpftrap::binary(), bpftrap);
  ::chmod(bpftrap.c_str(), 0755);
  constexpr std::uint64_t cap_perfmon_and_bpf = std::uint64_t{3} << 38;
  if (!set_file_capabilities(bpftrap, cap_perfmon_and_bpf)) {
    GTEST_SKIP() << "no file capabilities in " << directory_.path();
  }
  Words launcher =
      sudo + Words{"-u", "e2e-other", script("copy", "shift\nexec " + bpftrap + " \"$@\"")};
  Words lines = said(launcher, bin_ + "/mytool");
  EXPECT_EQ(lines.at(0), "ids 54325 54325 54326 54326");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "HOME=/home/e2e-other"), 1);
}

TEST_F(CallerTest, UnknownToTheUserFiles) {
  caller_groups_ = {54341};
  std::string forget = script("forget",
                              "grep -v e2e- /etc/passwd >/etc/passwd.new\n"
                              "mv /etc/passwd.new /etc/passwd\n"
                              ": >/etc/group\nexec \"$@\"");
  EXPECT_EQ(said(from_shell(sudo + Words{forget})).at(1), "groups 54322 54341");
  environment_ = {"HOME=/net/home", "PATH=" + bin_ + ":/usr/bin:/bin"};
  Words lines = said(sudo + Words{forget});
  EXPECT_EQ(lines.at(0), "ids 54321 54321 54322 54322");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "HOME=/net/home"), 1);
}

TEST_F(CallerTest, FilesBelongToTheCaller) {
  std::string file = directory_ / "trace.json";
  struct stat status {};
  for (int run = 0; run < 2; ++run) {
    Bpftrap bpftrap({"exec", "-j", "-o", file, "--", "mytool", "--workload", "nothing"},
                    called_by(sudo));
    EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, caller_uid);
    EXPECT_EQ(status.st_gid, caller_gid);
    EXPECT_EQ(status.st_mode, S_IFREG | 0600U);
    EXPECT_GE(lines_of_file(file).size(), 4U);
  }
}

TEST_F(CallerTest, FilesThatExistKeepTheirOwner) {
  std::string file = directory_ / "roots";
  write_file(file, "old\n", 0640);
  struct stat status {};
  Bpftrap bpftrap({"exec", "-j", "-o", file, "--", "mytool", "--workload", "nothing"},
                  called_by(sudo));
  EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(status.st_mode, S_IFREG | 0640U);
}

class DoasTest : public CallerTest {
 protected:
  void SetUp() override {
    CallerTest::SetUp();
    if (!IsSkipped()) {
      require(doas.front());
    }
  }
};

TEST_F(DoasTest, EnvironmentAndPathAreTheCallers) {
  caller_groups_ = {54322, 54345};
  environment_ =
      environment_ + Words{"DOAS_USER=root", "SUDO_UID=0", "SUDO_GID=0", "SUDO_USER=root"};
  EXPECT_EQ(said(from_shell(doas)),
            caller_says({"PWD=" + std::filesystem::current_path().string()}, "54322 54345"));
}

TEST_F(DoasTest, SudoInDoasIsCalledByRoot) {
  Words lines = said(doas + sudo, bin_ + "/mytool");
  EXPECT_EQ(lines.at(0), "ids 0 0 0 0");
}

}  // namespace
}  // namespace e2e
