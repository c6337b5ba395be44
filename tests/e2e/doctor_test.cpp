// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap doctor`, and the errors of other commands, with privileges or kernel features removed.
// Also: exec and exit work with the documented capabilities alone.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "e2e/bpftrap.h"
#include "e2e/file_capabilities.h"
#include "e2e/namespaces.h"

namespace e2e {
namespace {

constexpr uid_t nobody = 65534;
constexpr std::uint64_t bpf_and_perfmon = std::uint64_t{1} << CAP_BPF | std::uint64_t{1}
                                                                            << CAP_PERFMON;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void require(bool done, int status) {
  if (!done) {
    ::_exit(status);
  }
}

// Limits this process, and programs that it executes, to these capabilities.
void limit_capabilities(std::uint64_t keep) {
  for (int capability = 0; capability < 64; ++capability) {
    if (((keep >> capability) & 1U) == 0) {
      ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
  }
}

void become_nobody() {
  require(::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0 && ::setuid(nobody) == 0, 99);
}

// Becomes the user nobody, with only these capabilities, as AmbientCapabilities= gives to a
// service.
void become_nobody_with(std::uint64_t keep) {
  // Before 5.11 the inherited limit applies, because the process cannot raise it.
  rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  limit_capabilities(keep);
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  become_nobody();
  auto low = static_cast<__u32>(keep);
  auto high = static_cast<__u32>(keep >> 32);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {{low, low, low}, {high, high, high}};
  require(::syscall(SYS_capset, &header, data) == 0, 98);
  for (int capability = 0; capability < 64; ++capability) {
    if (((keep >> capability) & 1U) != 0) {
      require(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0, 97);
    }
  }
}

// Refuses bpf() from now on, as the seccomp filter of a container does.
void refuse_bpf() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{4, filter};
  require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, 96);
}

// Hides the kernel's BTF from this process and from programs that it executes.
void hide_btf() {
  require(::unshare(CLONE_NEWNS) == 0, 95);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    require(::mount("none", "/sys", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, 94);
  }
  require(::mount("none", "/sys/kernel/btf", "tmpfs", 0, nullptr) == 0, 93);
}

struct Examination {
  int status = 0;
  std::vector<Record> checks;
  std::string errors;

  Record operator[](const std::string& name) const {
    auto found = std::find_if(checks.begin(), checks.end(),
                              [&](const Record& check) { return check.text("name") == name; });
    EXPECT_NE(found, checks.end()) << name;
    return found != checks.end() ? *found : Record::parse("{}");
  }
  std::string state(const std::string& name) const { return (*this)[name].text("state"); }
  // Meaning and fix of a check that is not ok.
  std::string advice(const std::string& name) const {
    Record check = (*this)[name];
    return check.text("meaning") + " -> " + check.maybe_text("fix").value_or("");
  }
};

// Uses -j, because Bpftrap expects --json to produce a stream with `start` and `stop`.
Examination examine(const Bpftrap::Setup& setup = {}) {
  Outcome outcome = run_bpftrap({"doctor", "-j"}, setup);
  Examination examination{outcome.status, {}, outcome.errors};
  std::string_view rest = outcome.output;
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
       rest.remove_prefix(end + 1)) {
    EXPECT_EQ(Schema::get().violation_of_line(rest.substr(0, end)), "");
    examination.checks.push_back(Record::parse(rest.substr(0, end)));
  }
  EXPECT_EQ(rest, "");
  return examination;
}

Bpftrap::Setup as(std::function<void()> before_exec) {
  Bpftrap::Setup setup;
  setup.before_exec = std::move(before_exec);
  return setup;
}

std::string why(const std::string& command, const Bpftrap::Setup& setup) {
  Outcome outcome = run_bpftrap({command, "--json", "--timeout", "10"}, setup);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors.rfind("bpftrap: cannot ", 0), 0U) << outcome.errors;
  return outcome.errors;
}

using DoctorTest = TracingTest;

// Tests in which root gives up privileges.
class DoctorAsRootTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can become another user";
    }
  }

  // Skips the test if the user nobody may not execute bpftrap.
  void require_public_binary() {
    if (run_bpftrap({"--version"}, as(become_nobody)).status != 0) {
      GTEST_SKIP() << "not every user may execute " << Bpftrap::binary();
    }
  }
};

TEST_F(DoctorTest, ReportEndsWithTheVerdict) {
  Outcome outcome = run_bpftrap({"doctor"});
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.errors, "");
  EXPECT_TRUE(contains(outcome.output, "\n\nexec and exit will work here"));
  EXPECT_FALSE(contains(outcome.output, "missing "));
  EXPECT_FALSE(contains(outcome.output, "\x1b"));
  EXPECT_TRUE(contains(run_bpftrap({"doctor", "--color", "always"}).output, "\x1b[32mok\x1b[0m"));
}

TEST_F(DoctorTest, JsonHasTheSameChecks) {
  Examination examination = examine();
  EXPECT_EQ(examination.status, 0);
  EXPECT_EQ(examination.errors, "");
  Bpftrap people({"doctor"});
  EXPECT_EQ(people.wait(), 0);
  std::vector<std::string> lines = people.lines();
  for (const Record& check : examination.checks) {
    EXPECT_EQ(check.keys(), (std::vector<std::string>{"event", "name", "state", "meaning", "fix"}));
    EXPECT_EQ(check.kind(), "check");
    EXPECT_NE(check.text("state"), "missing") << check.text("name");
    EXPECT_EQ(check.is_null("fix"), check.text("state") == "ok") << check.text("name");
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [&](const std::string& line) {
                              return contains(line, " " + check.text("name") + " ") &&
                                     contains(line, check.text("meaning"));
                            }),
              1)
        << check.text("name");
  }
  EXPECT_EQ(examination.state("programs of exec"), "ok");
  EXPECT_EQ(examination.state("programs of exit"), "ok");
}

TEST_F(DoctorAsRootTest, WithoutPrivilegesItSaysWhichAndHow) {
  require_public_binary();
  Examination examination = examine(as(become_nobody));
  EXPECT_EQ(examination.status, 1);
  EXPECT_EQ(examination.errors, "");
  for (const char* name : {"CAP_BPF", "CAP_PERFMON"}) {
    EXPECT_EQ(examination.state(name), "missing");
    EXPECT_TRUE(contains(examination.advice(name), "sudo setcap cap_bpf,cap_perfmon+ep ")) << name;
  }
  EXPECT_EQ(examination.state("programs of exec"), "missing");
  // These checks cannot be tried, so they must not be reported.
  for (const char* name : {"kernel", "bpf()", "ring buffer", "kernel BTF", "memlock"}) {
    EXPECT_EQ(examination.state(name), "ok") << examination.advice(name);
  }
  for (const char* command : {"hello", "exec", "exit"}) {
    EXPECT_TRUE(contains(why(command, as(become_nobody)),
                         "CAP_BPF and CAP_PERFMON are missing: run it with sudo, or once: sudo "
                         "setcap cap_bpf,cap_perfmon+ep "));
  }
}

TEST_F(DoctorAsRootTest, RootOfAContainerIsToldOfTheContainer) {
  Bpftrap::Setup container = as([] { limit_capabilities(std::uint64_t{1} << CAP_CHOWN); });
  Examination examination = examine(container);
  EXPECT_EQ(examination.status, 1);
  EXPECT_TRUE(contains(examination.advice("CAP_BPF"), "--cap-add=BPF --cap-add=PERFMON"))
      << examination.advice("CAP_BPF");
  EXPECT_TRUE(contains(why("exec", container), "--cap-add=BPF --cap-add=PERFMON"));
}

TEST_F(DoctorAsRootTest, PidNamespaceOfAContainerIsNamed) {
  struct stat mine {};
  ASSERT_EQ(::stat("/proc/self/ns/pid", &mine), 0);
  constexpr ino_t initial = 0xEFFFFFFC;  // PROC_PID_INIT_INO in include/linux/proc_ns.h
  EXPECT_EQ(examine()["pid namespace"].text("meaning") == "the initial one",
            mine.st_ino == initial);
  Examination inside = examine(as(enter_pid_namespace));
  EXPECT_EQ(inside.status, 0);
  EXPECT_EQ(inside.state("pid namespace"), "ok");
  EXPECT_TRUE(contains(inside.advice("pid namespace"), "a container's"))
      << inside.advice("pid namespace");
  EXPECT_EQ(inside.state("programs of exec"), "ok");
}

TEST_F(DoctorAsRootTest, CapabilitiesOfAUserNamespaceDoNotCount) {
  Child probe([] { return ::unshare(CLONE_NEWUSER) == 0 ? 0 : 1; });
  if (probe.wait().status != 0) {
    GTEST_SKIP() << "no user namespaces here";
  }
  Bpftrap::Setup rootless = as([] {
    std::string map = "0 " + std::to_string(::getuid()) + " 1";
    require(::unshare(CLONE_NEWUSER) == 0, 92);
    std::ofstream("/proc/self/uid_map") << map;
  });
  Examination examination = examine(rootless);
  EXPECT_EQ(examination.status, 1);
  EXPECT_TRUE(contains(examination.advice("CAP_BPF"), "user namespace"));
  EXPECT_TRUE(contains(why("exit", rootless), "user namespace"));
}

TEST_F(DoctorAsRootTest, SeccompIsNamed) {
  Examination examination = examine(as(refuse_bpf));
  EXPECT_EQ(examination.status, 1);
  EXPECT_EQ(examination.state("CAP_BPF"), "ok");
  EXPECT_TRUE(contains(examination.advice("bpf()"), "seccomp")) << examination.advice("bpf()");
  for (const char* command : {"hello", "exec", "exit"}) {
    EXPECT_TRUE(contains(why(command, as(refuse_bpf)), "seccomp")) << command;
  }
}

TEST_F(DoctorAsRootTest, KernelWithoutBtf) {
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    GTEST_SKIP() << "this kernel has no BTF";
  }
  Examination examination = examine(as(hide_btf));
  if (examination.state("programs of exec") == "ok") {
    GTEST_SKIP() << "libbpf finds the kernel's BTF in a vmlinux file";
  }
  EXPECT_EQ(examination.status, 1);
  EXPECT_EQ(examination.state("kernel BTF"), "missing");
  for (const char* command : {"exec", "exit"}) {
    std::string errors = why(command, as(hide_btf));
    EXPECT_TRUE(contains(errors, "CONFIG_DEBUG_INFO_BTF=y")) << errors;
    EXPECT_TRUE(contains(errors, "--btf FILE")) << errors;
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  }
  EXPECT_EQ(run_bpftrap({"hello", "--count", "1"}, as(hide_btf)).status, 0) << "hello needs no BTF";
}

// Traces a process of another user, with each filter that reads extra data.
void expect_to_trace(const std::function<void(std::vector<std::string>)>& execute) {
  std::string self = std::to_string(::getpid());
  std::vector<std::vector<std::string>> all{
      {"exec", "--json"},
      {"exit", "--json"},
      {"exec", "--json", "--tree", self},
      {"exit", "--json", "--user", std::to_string(::getuid())},
      {"exit", "--json", "--min-duration", "1ns"},
  };
  if (examine().state("failed execs") == "ok") {
    all.push_back({"exec", "--json", "--event=+failed"});
  }
  for (const std::vector<std::string>& args : all) {
    SCOPED_TRACE(testing::PrintToString(args));
    Bpftrap bpftrap(args, as([&] { execute(args); }));
    bpftrap.await_start();
    Ended process = run_workload({"exit", "3"});
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.errors(), "");
    Record record = bpftrap.record_of(process, "exit");
    EXPECT_EQ(record.number("exit_code"), 3U);
    EXPECT_EQ(record.text("filename"), self_path());
    EXPECT_EQ(record.strings("args").back(), "3");
  }
}

TEST_F(DoctorAsRootTest, CapBpfAndCapPerfmonAreEnough) {
  require_public_binary();
  Examination examination = examine(as([] { become_nobody_with(bpf_and_perfmon); }));
  EXPECT_EQ(examination.status, 0);
  EXPECT_EQ(examination.state("CAP_BPF"), "ok");
  EXPECT_EQ(examination.state("CAP_SYS_PTRACE"), "degraded");
  expect_to_trace([](const auto&) { become_nobody_with(bpf_and_perfmon); });
}

TEST_F(DoctorAsRootTest, OneOfThemIsNotEnough) {
  require_public_binary();
  for (auto [kept, lost] : {std::pair{CAP_BPF, "CAP_PERFMON"}, std::pair{CAP_PERFMON, "CAP_BPF"}}) {
    Bpftrap::Setup setup = as([kept = kept] { become_nobody_with(std::uint64_t{1} << kept); });
    Examination examination = examine(setup);
    EXPECT_EQ(examination.status, 1);
    EXPECT_EQ(examination.state(lost), "missing");
    EXPECT_TRUE(contains(why("exec", setup), std::string(lost) + " is missing"));
  }
}

TEST_F(DoctorAsRootTest, FileCapabilitiesAreEnough) {
  ScratchDir scratch;
  std::string file = scratch / "bpftrap";
  std::filesystem::copy_file(Bpftrap::binary(), file);
  ::chmod(scratch.path().c_str(), 0755);
  ::chmod(file.c_str(), 0755);
  if (!set_file_capabilities(file, bpf_and_perfmon)) {
    GTEST_SKIP() << "no file capabilities in " << scratch.path();
  }
  expect_to_trace([&](std::vector<std::string> args) {
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    become_nobody();
    args.insert(args.begin(), "bpftrap");
    std::vector<char*> argv;
    std::for_each(args.begin(), args.end(), [&](auto& arg) { argv.push_back(arg.data()); });
    argv.push_back(nullptr);
    ::execv(file.c_str(), argv.data());
    ::_exit(91);
  });
}

}  // namespace
}  // namespace e2e
