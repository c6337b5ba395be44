// SPDX-License-Identifier: GPL-2.0-only
// core/doctor/diagnosis.h and core/doctor/check_report.h, with the facts of imaginary machines.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "core/doctor/check_report.h"
#include "core/doctor/diagnosis.h"

namespace bpftrap {
namespace {

constexpr std::uint64_t bit(Capability capability) {
  return std::uint64_t{1} << static_cast<unsigned>(capability);
}

// Root, on a kernel that has everything.
Facts good() {
  Facts facts;
  facts.executable = "/usr/bin/bpftrap";
  parse_release("6.18.0", facts);
  facts.jit = true;
  facts.lockdown = "none";
  facts.unprivileged_bpf_disabled = 2;
  facts.btf_bytes = 5 << 20;
  facts.exec = facts.failed_exec = facts.exit = Trial{};
  facts.tracefs = Trial{0, "/sys/kernel/tracing"};
  return facts;
}

void refuse(Facts& facts, int err) {
  facts.bpf = facts.ring_buffer = {err, ""};
  facts.exec = facts.failed_exec = facts.exit = Trial{err, ""};
  facts.jit.reset();
}

// A user without privileges.
Facts nobody() {
  Facts facts = good();
  facts.euid = 1000;
  facts.effective = 0;
  refuse(facts, EPERM);
  facts.tracefs = Trial{EPERM, ""};
  return facts;
}

Check find(const Facts& facts, std::string_view name) {
  for (Check& check : diagnose(facts)) {
    if (check.name == name) {
      return std::move(check);
    }
  }
  ADD_FAILURE() << "no check is named " << name;
  return {};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void expect_check(const Facts& facts, std::string_view name, CheckState state,
                  std::initializer_list<std::string_view> said) {
  SCOPED_TRACE(name);
  Check check = find(facts, name);
  EXPECT_EQ(check.state, state) << check.meaning;
  for (std::string_view part : said) {
    EXPECT_TRUE(contains(check.meaning + "\n" + check.fix, part))
        << part << " is not in: " << check.meaning << " -> " << check.fix;
  }
}

std::vector<std::string> names_in(const Facts& facts, CheckState state) {
  std::vector<std::string> names;
  for (const Check& check : diagnose(facts)) {
    if (check.state == state) {
      names.emplace_back(check.name);
    }
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Doctor, GoodMachineIsOk) {
  std::vector<Check> checks = diagnose(good());
  std::set<std::string_view> names;
  for (const Check& check : checks) {
    EXPECT_EQ(check.state, CheckState::ok) << check.name << ": " << check.meaning;
    EXPECT_EQ(check.fix, "") << check.name;
    EXPECT_NE(check.meaning, "") << check.name;
    EXPECT_TRUE(names.insert(check.name).second) << check.name << " twice";
  }
  EXPECT_TRUE(will_work(checks));
  EXPECT_EQ(verdict(checks), "exec and exit will work here");
}

TEST(Doctor, WhatIsNotOkSaysWhatToDo) {
  std::vector<Facts> machines(12, good());
  machines[0] = nobody();
  machines[1].jit = false;
  machines[2].btf_bytes.reset();
  machines[2].exec = Trial{ESRCH, ""};
  machines[3].cgroup2 = false;
  machines[4].pid_namespace = true;
  machines[4].pid_translation = Trial{ENOENT, ""};
  machines[5].lockdown = "confidentiality";
  machines[6].task_storage = false;
  machines[7].ring_buffer.err = ENOMEM;
  machines[8].no_tracepoints = {"cgroup_release"};
  machines[9].tracefs = Trial{EACCES, ""};
  parse_release("4.19.0", machines[10]);
  machines[11].memlock_charged = true;
  for (Facts& facts : machines) {
    bool cause = false;
    for (const Check& check : diagnose(facts)) {
      if (check.state != CheckState::ok && !check.name.starts_with("programs of")) {
        EXPECT_NE(check.fix, "") << check.name << ": " << check.meaning;
        cause = true;
      }
    }
    EXPECT_TRUE(cause);
  }
}

TEST(Doctor, WithoutPrivilegesItNamesBothCapabilitiesAndTheCommand) {
  Facts facts = nobody();
  for (const char* name : {"CAP_BPF", "CAP_PERFMON"}) {
    expect_check(facts, name, CheckState::missing,
                 {"sudo setcap cap_bpf,cap_perfmon+ep /usr/bin/bpftrap"});
  }
  // A refusal says nothing about the kernel.
  EXPECT_EQ(names_in(facts, CheckState::missing),
            (Names{"CAP_BPF", "CAP_PERFMON", "programs of exec", "programs of exit"}));
  EXPECT_EQ(verdict(diagnose(facts)),
            "exec and exit will not work here; missing: CAP_BPF, CAP_PERFMON");
}

TEST(Doctor, TheTwoCapabilitiesAreEnough) {
  Facts facts = good();
  facts.euid = 1000;
  facts.effective = bit(Capability::bpf) | bit(Capability::perfmon);
  facts.tracefs = Trial{EPERM, ""};
  EXPECT_EQ(verdict(diagnose(facts)),
            "exec and exit will work here; degraded: CAP_SYS_PTRACE, tracefs");
}

TEST(Doctor, SysAdminStandsInForBoth) {
  Facts facts = good();
  facts.effective = bit(Capability::sys_admin) | bit(Capability::sys_ptrace);
  EXPECT_EQ(verdict(diagnose(facts)), "exec and exit will work here");
}

TEST(Doctor, PathIsQuotedForTheShell) {
  Facts facts = nobody();
  facts.executable = "/opt/my tools/bpftrap";
  expect_check(facts, "CAP_BPF", CheckState::missing, {"+ep '/opt/my tools/bpftrap'"});
}

TEST(Doctor, RootOfAContainerIsToldOfTheContainer) {
  Facts facts = nobody();
  facts.euid = 0;
  facts.bounding = 0;
  expect_check(facts, "CAP_BPF", CheckState::missing, {"--cap-add=BPF", "--cap-add=PERFMON"});
  EXPECT_FALSE(contains(find(facts, "CAP_BPF").fix, "setcap"));
  facts.euid = 1000;  // the same for a user other than root
  expect_check(facts, "CAP_BPF", CheckState::missing, {"--cap-add=BPF"});
}

TEST(Doctor, CapabilitiesOfAUserNamespaceDoNotCount) {
  Facts facts = good();
  refuse(facts, EPERM);
  facts.user_namespace = true;
  expect_check(facts, "CAP_BPF", CheckState::missing, {"user namespace"});
  EXPECT_TRUE(contains(explain_failure(facts, EPERM, {}), "user namespace"));
}

TEST(Doctor, SudoIsNotAdvisedWhereItHasNoEffect) {
  Facts facts = nobody();
  facts.no_new_privs = true;
  expect_check(facts, "CAP_BPF", CheckState::missing, {"no_new_privs"});
  EXPECT_FALSE(contains(find(facts, "CAP_BPF").fix, "setcap cap"));
}

TEST(Doctor, SeccompIsFoundBehindARefusal) {
  Facts facts = good();
  refuse(facts, EPERM);
  facts.seccomp = true;
  expect_check(facts, "bpf()", CheckState::missing, {"seccomp"});
  EXPECT_TRUE(contains(explain_failure(facts, EPERM, {}), "seccomp=unconfined"));
  EXPECT_EQ(verdict(diagnose(facts)), "exec and exit will not work here; missing: bpf()");
}

TEST(Doctor, KernelWithoutBpf) {
  Facts facts = good();
  refuse(facts, ENOSYS);
  expect_check(facts, "bpf()", CheckState::missing, {"CONFIG_BPF_SYSCALL=y"});
  EXPECT_TRUE(contains(explain_failure(facts, ENOSYS, {}), "CONFIG_BPF_SYSCALL=y"));
}

TEST(Doctor, LockdownKeepsFromReading) {
  Facts facts = good();
  facts.exec = facts.exit = Trial{EINVAL, ""};
  facts.lockdown = "confidentiality";
  expect_check(facts, "lockdown", CheckState::missing, {"lockdown=integrity"});
  EXPECT_TRUE(contains(explain_failure(facts, EINVAL, {}), "lockdown"));
  facts.lockdown = "integrity";
  expect_check(facts, "lockdown", CheckState::ok, {"integrity"});
}

TEST(Doctor, KernelWithoutBtf) {
  Facts facts = good();
  facts.btf_bytes.reset();
  facts.exec = facts.exit = Trial{ESRCH, "libbpf: failed to find valid kernel BTF"};
  expect_check(facts, "kernel BTF", CheckState::missing, {"CONFIG_DEBUG_INFO_BTF=y", "--btf FILE"});
  std::vector<std::string> log{"libbpf: failed to find valid kernel BTF"};
  EXPECT_TRUE(contains(explain_failure(facts, ESRCH, log), "kernel BTF"));
  // A command that needs no BTF fails for another reason.
  log = {"libbpf: failed to create tracepoint 'syscalls/sys_enter_write'"};
  EXPECT_FALSE(contains(explain_failure(facts, ENOENT, log), "BTF"));
  facts.sysfs = false;
  expect_check(facts, "kernel BTF", CheckState::missing, {"mount -t sysfs"});
  facts.exec = facts.exit = Trial{};  // libbpf found BTF elsewhere
  expect_check(facts, "kernel BTF", CheckState::ok, {});
}

TEST(Doctor, KernelWithoutATracepoint) {
  Facts facts = good();
  facts.no_tracepoints = {"cgroup_release", "signal_generate"};
  expect_check(facts, "tracepoints", CheckState::missing,
               {"cgroup_release, signal_generate", "CONFIG_CGROUPS=y"});
}

TEST(Doctor, MemlockBefore511) {
  Facts facts = good();
  parse_release("5.10.0-46-cloud-amd64", facts);
  facts.memlock_charged = true;
  facts.memlock_limit = 64 << 10;
  refuse(facts, EPERM);
  expect_check(facts, "memlock", CheckState::missing, {"64 KiB", "ulimit -l unlimited"});
  EXPECT_TRUE(contains(explain_failure(facts, EPERM, {}), "RLIMIT_MEMLOCK"));
  facts.euid = 1000;
  expect_check(facts, "memlock", CheckState::missing,
               {"setcap cap_bpf,cap_perfmon,cap_sys_resource+ep"});
  facts.memlock_limit = ~std::uint64_t{0};
  expect_check(facts, "memlock", CheckState::ok, {});
}

TEST(Doctor, OlderKernelsHaveLess) {
  Facts facts = good();
  parse_release("5.10.0-46-cloud-amd64", facts);
  facts.task_storage = false;
  facts.group_dead = false;
  facts.failed_exec = Trial{EINVAL, ""};
  EXPECT_EQ(names_in(facts, CheckState::degraded), (Names{"task storage", "failed execs"}));
  EXPECT_TRUE(will_work(diagnose(facts)));
  expect_check(facts, "failed execs", CheckState::degraded, {"does not load"});
  expect_check(facts, "group_dead", CheckState::ok, {"6.16"});
  expect_check(facts, "kernel", CheckState::ok, {"5.10.0-46-cloud-amd64"});
}

TEST(Doctor, KernelWithoutRingBuffer) {
  Facts facts = good();
  parse_release("5.4.0", facts);
  facts.ring_buffer.err = EINVAL;
  facts.exec = facts.exit = Trial{EINVAL, ""};
  expect_check(facts, "ring buffer", CheckState::missing, {"5.8"});
  EXPECT_TRUE(contains(explain_failure(facts, EINVAL, {}), "ring buffer"));
  // Distributions backport, so a ring buffer that was created outweighs the version.
  facts.ring_buffer.err = 0;
  facts.exec = facts.exit = Trial{};
  EXPECT_TRUE(will_work(diagnose(facts)));
  expect_check(facts, "kernel", CheckState::degraded, {"5.10"});
}

TEST(Doctor, ProgramsThatDoNotLoadForNoKnownReason) {
  Facts facts = good();
  facts.exec = Trial{EINVAL, "R1 type=scalar expected=ctx"};
  expect_check(facts, "programs of exec", CheckState::missing,
               {"Invalid argument", "R1 type=scalar", "--verbose"});
  EXPECT_EQ(verdict(diagnose(facts)),
            "exec and exit will not work here; missing: programs of exec");
  EXPECT_TRUE(contains(explain_failure(facts, EINVAL, {}), "bpftrap doctor"));
}

TEST(Doctor, TooFewOpenFiles) {
  Facts facts = good();
  facts.open_files_limit = 24;
  expect_check(facts, "open files", CheckState::missing, {"24", "64", "ulimit -n 1024"});
  EXPECT_TRUE(contains(explain_failure(facts, EBADF, {}), "RLIMIT_NOFILE allows 24"));
  // Whatever libbpf made of it: with no descriptor left, other facts are not to be trusted.
  facts.open_files_limit = 1024;
  facts.bpf = Trial{EMFILE, ""};
  std::vector<std::string> log{"processed 0 insns"};
  EXPECT_TRUE(explain_failure(facts, EMFILE, log).starts_with("RLIMIT_NOFILE allows 1024"));
  EXPECT_TRUE(contains(explain_open_files(facts), "LimitNOFILE=1024"));
}

TEST(Doctor, WithoutProc) {
  Facts facts = good();
  facts.proc = false;
  facts.exec = facts.exit = Trial{ENOENT, ""};
  expect_check(facts, "/proc", CheckState::missing, {"mount -t proc proc /proc"});
  EXPECT_TRUE(explain_failure(facts, ENOENT, {}).starts_with("/proc: not mounted"));
}

TEST(Doctor, ExplainsByTheErrorWhatNoCheckFinds) {
  EXPECT_TRUE(contains(explain_failure(good(), ENOMEM, {}), "--buffer-size"));
  EXPECT_TRUE(contains(explain_failure(good(), EPERM, {}), "despite CAP_BPF"));
  Facts facts = nobody();
  EXPECT_EQ(explain_failure(facts, EPERM, {}),
            "CAP_BPF and CAP_PERFMON are missing: run it with sudo, or once: sudo setcap "
            "cap_bpf,cap_perfmon+ep /usr/bin/bpftrap");
  facts.effective = bit(Capability::bpf);
  EXPECT_TRUE(explain_failure(facts, EPERM, {}).starts_with("CAP_PERFMON is missing"));
  facts.effective = bit(Capability::perfmon);
  EXPECT_TRUE(explain_failure(facts, EPERM, {}).starts_with("CAP_BPF is missing"));
}

TEST(Doctor, TellingLineIsTheVerifiersReason) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(telling_line({}), "");
  EXPECT_EQ(
      telling_line(Lines{"libbpf: prog 'on_exec': BPF program load failed: Invalid argument",
                         "libbpf: prog 'on_exec': -- BEGIN PROG LOAD LOG --", "0: (bf) r6 = r1",
                         "R1 invalid mem access 'scalar'",
                         "processed 3 insns (limit 1000000) max_states_per_insn 0",
                         "-- END PROG LOAD LOG --", "libbpf: prog 'on_exec': failed to load: -22",
                         "libbpf: failed to load object 'exec_bpf'",
                         "libbpf: failed to load BPF skeleton 'exec_bpf': -22"}),
      "R1 invalid mem access 'scalar'");
  EXPECT_EQ(telling_line(Lines{"libbpf: failed to find valid kernel BTF",
                               "libbpf: Error loading vmlinux BTF: -3",
                               "libbpf: failed to load object 'exec_bpf'"}),
            "libbpf: failed to find valid kernel BTF");
  EXPECT_EQ(telling_line(Lines{"libbpf: failed to load object 'exec_bpf'"}), "");
  // The log may lack its beginning.
  EXPECT_EQ(
      telling_line(Lines{"-- END PROG LOAD LOG --", "libbpf: prog 'on_exec': failed to load"}),
      "libbpf: prog 'on_exec': failed to load");
}

TEST(Doctor, ParsesWhatTheKernelWrites) {
  EXPECT_EQ(parse_lockdown("none [integrity] confidentiality\n"), "integrity");
  EXPECT_EQ(parse_lockdown("[none] integrity confidentiality\n"), "none");
  EXPECT_EQ(parse_lockdown(""), "");
  EXPECT_EQ(parse_lockdown("]["), "");
  Facts facts;
  parse_status("Name:\tx\nNoNewPrivs:\t1\nSeccomp:\t2\n", facts);
  EXPECT_TRUE(facts.no_new_privs);
  EXPECT_TRUE(facts.seccomp);
  parse_status("Name:\tx\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t2\n", facts);
  EXPECT_FALSE(facts.no_new_privs);
  EXPECT_FALSE(facts.seccomp);
  parse_release("5.10.0-46-cloud-amd64", facts);
  EXPECT_TRUE(facts.at_least(5, 10));
  EXPECT_FALSE(facts.at_least(5, 11));
  EXPECT_FALSE(facts.at_least(6, 0));
  EXPECT_TRUE(facts.at_least(4, 19));
}

TEST(Doctor, ReportIsAlignedAndEndsWithTheVerdict) {
  const Check checks[] = {{"JIT", CheckState::ok, "on", ""},
                          {"kernel BTF", CheckState::degraded, "old", "get a new one"},
                          {"bpf()", CheckState::missing, "bad \x1b[2J", "fix \x07"}};
  std::string out;
  append_report(out, checks, false);
  EXPECT_EQ(out,
            "ok        JIT         on\n"
            "degraded  kernel BTF  old\n"
            "                      -> get a new one\n"
            "missing   bpf()       bad \\x1b[2J\n"
            "                      -> fix \\x07\n"
            "\n"
            "exec and exit will not work here; missing: bpf()\n");
}

TEST(Doctor, ColorIsOfTheStateAndIsReset) {
  const Check checks[] = {{"JIT", CheckState::degraded, "off", "sysctl"}};
  std::string out;
  append_report(out, checks, true);
  EXPECT_EQ(out,
            "\x1b[33mdegraded\x1b[0m  JIT  off\n"
            "               -> sysctl\n"
            "\n"
            "\x1b[32mexec and exit will work here; degraded: JIT\x1b[0m\n");
}

TEST(Doctor, FactsOfThisMachineAreGathered) {
  Facts facts = gather_facts();
  EXPECT_NE(facts.release, "");
  EXPECT_TRUE(facts.at_least(3, 0)) << facts.release;
  EXPECT_TRUE(contains(facts.executable, "unit_tests")) << facts.executable;
  EXPECT_FALSE(diagnose(facts).empty());
}

}  // namespace
}  // namespace bpftrap
