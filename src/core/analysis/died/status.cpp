// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/status.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "core/record/signal_name.h"

namespace bpftrap {

namespace {

struct Code {
  int code;
  std::string_view name;
  std::string_view meaning;
};

// sysexits(3)
constexpr std::array sysexits{
    Code{EX_USAGE, "EX_USAGE", "wrong command line"},
    Code{EX_DATAERR, "EX_DATAERR", "wrong input data"},
    Code{EX_NOINPUT, "EX_NOINPUT", "an input file is missing or unreadable"},
    Code{EX_NOUSER, "EX_NOUSER", "unknown user"},
    Code{EX_NOHOST, "EX_NOHOST", "unknown host"},
    Code{EX_UNAVAILABLE, "EX_UNAVAILABLE", "a service or a file is unavailable"},
    Code{EX_SOFTWARE, "EX_SOFTWARE", "internal error of the program"},
    Code{EX_OSERR, "EX_OSERR", "error of the operating system, such as a failed fork"},
    Code{EX_OSFILE, "EX_OSFILE", "a system file is missing or malformed"},
    Code{EX_CANTCREAT, "EX_CANTCREAT", "cannot create an output file"},
    Code{EX_IOERR, "EX_IOERR", "input or output failed"},
    Code{EX_TEMPFAIL, "EX_TEMPFAIL", "temporary failure, try again"},
    Code{EX_PROTOCOL, "EX_PROTOCOL", "the other side broke the protocol"},
    Code{EX_NOPERM, "EX_NOPERM", "permission denied"},
    Code{EX_CONFIG, "EX_CONFIG", "wrong configuration"},
};

// systemd.exec(5), "Process Exit Codes": the step that failed before the service's program ran.
constexpr std::array service_codes{
    Code{200, "CHDIR", "cannot enter the directory of WorkingDirectory="},
    Code{201, "NICE", "cannot set the priority of Nice="},
    Code{202, "FDS", "cannot arrange file descriptors"},
    Code{203, "EXEC", "cannot execute the program: missing, not executable, or no interpreter"},
    Code{204, "MEMORY", "out of memory"},
    Code{205, "LIMITS", "cannot set the limits of LimitNAME="},
    Code{206, "OOM_ADJUST", "cannot set OOMScoreAdjust="},
    Code{207, "SIGNAL_MASK", "cannot set the signal mask"},
    Code{208, "STDIN", "cannot open StandardInput="},
    Code{209, "STDOUT", "cannot open StandardOutput="},
    Code{210, "CHROOT", "cannot change the root to RootDirectory="},
    Code{211, "IOPRIO", "cannot set IOSchedulingClass= or IOSchedulingPriority="},
    Code{212, "TIMERSLACK", "cannot set TimerSlackNSec="},
    Code{213, "SECUREBITS", "cannot set SecureBits="},
    Code{214, "SETSCHEDULER", "cannot set CPUSchedulingPolicy="},
    Code{215, "CPUAFFINITY", "cannot set CPUAffinity="},
    Code{216, "GROUP", "cannot become the group of Group="},
    Code{217, "USER", "cannot become the user of User=, or the user is unknown"},
    Code{218, "CAPABILITIES", "cannot set capabilities"},
    Code{219, "CGROUP", "cannot set up the control group"},
    Code{220, "SETSID", "cannot create a session"},
    Code{221, "CONFIRM", "somebody refused the start at the console"},
    Code{222, "STDERR", "cannot open StandardError="},
    Code{224, "PAM", "the session of PAMName= failed"},
    Code{225, "NETWORK", "cannot set up PrivateNetwork="},
    Code{226, "NAMESPACE", "cannot set up mounts, such as those of ReadWritePaths= or PrivateTmp="},
    Code{227, "NO_NEW_PRIVILEGES", "cannot set NoNewPrivileges="},
    Code{228, "SECCOMP", "cannot install the filter of SystemCallFilter="},
    Code{229, "SELINUX_CONTEXT", "cannot set SELinuxContext="},
    Code{230, "PERSONALITY", "cannot set Personality="},
    Code{231, "APPARMOR", "cannot change to AppArmorProfile="},
    Code{232, "ADDRESS_FAMILIES", "cannot set RestrictAddressFamilies="},
    Code{233, "RUNTIME_DIRECTORY", "cannot create RuntimeDirectory="},
    Code{235, "CHOWN", "cannot change the owner of a socket"},
    Code{236, "SMACK_PROCESS_LABEL", "cannot set SmackProcessLabel="},
    Code{237, "KEYRING", "cannot set up the kernel keyring"},
    Code{238, "STATE_DIRECTORY", "cannot create StateDirectory="},
    Code{239, "CACHE_DIRECTORY", "cannot create CacheDirectory="},
    Code{240, "LOGS_DIRECTORY", "cannot create LogsDirectory="},
    Code{241, "CONFIGURATION_DIRECTORY", "cannot create ConfigurationDirectory="},
    Code{242, "NUMA_POLICY", "cannot set NUMAPolicy="},
    Code{243, "CREDENTIALS", "cannot read the credentials of LoadCredential="},
    Code{245, "BPF", "cannot set up BPF programs"},
};

template <std::size_t count>
const Code* find_code(const std::array<Code, count>& codes, int code) {
  const auto* found = std::find_if(codes.begin(), codes.end(),
                                   [code](const Code& one) { return one.code == code; });
  return found != codes.end() ? found : nullptr;
}

// Programs that start another one, and report their own failures as 125.
bool is_starter(std::string_view program) {
  static constexpr std::array<std::string_view, 10> names = {
      "timeout", "env",     "nice",   "nohup",  "chroot",
      "stdbuf",  "setpriv", "docker", "podman", "bpftrap"};
  return std::find(names.begin(), names.end(), program) != names.end();
}

std::string of_signal(int signal, bool in_container) {
  std::string text = fmt::format("128+{}: a child was ended by {}", signal, signal_name(signal));
  if (signal == SIGKILL && in_container) {
    text += ", by the out-of-memory killer or the end of a grace period";
  } else if (signal == SIGTERM && in_container) {
    text += ", with which runtimes stop a container";
  }
  return text;
}

}  // namespace

std::optional<int> signal_of_exit_code(int code) {
  constexpr int signals = 64;
  return code > 128 && code <= 128 + signals ? std::optional(code - 128) : std::nullopt;
}

std::string exit_code_meaning(int code, const StatusSurroundings& around) {
  if (code == 124 && around.program == "timeout") {
    return "the command ran into the time limit";
  }
  if (code == 125 && is_starter(around.program)) {
    return fmt::format("{} itself failed", around.program);
  }
  if (code == 126) {
    return "a command was found, but could not be executed";
  }
  if (code == 127) {
    return "a command was not found";
  }
  if (std::optional<int> signal = signal_of_exit_code(code)) {
    return of_signal(*signal, around.in_container);
  }
  if (const Code* known = find_code(sysexits, code)) {
    return fmt::format("{}: {}, by sysexits(3)", known->name, known->meaning);
  }
  if (around.of_service_manager) {
    if (const Code* known = find_code(service_codes, code)) {
      return fmt::format("{} of systemd: {}", known->name, known->meaning);
    }
  }
  if (code == 255 && around.program == "ssh") {
    return "ssh itself failed, such as to connect";
  }
  return {};
}

std::string_view kernel_signal_meaning(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "it used an invalid address";
    case SIGBUS:
      return "it used an address without memory behind it, such as beyond the end of a mapped file";
    case SIGILL:
      return "it ran an instruction that this CPU does not have";
    case SIGFPE:
      return "it divided by zero, or another arithmetic operation failed";
    case SIGTRAP:
      return "it ran into a breakpoint or an assertion of its own";
    case SIGABRT:
      return "it called abort(), as after a failed assertion";
    case SIGSYS:
      return "it made a system call that its seccomp filter forbids";
    case SIGPIPE:
      return "it wrote to a pipe or a socket whose reader was gone";
    case SIGINT:
      return "somebody pressed Ctrl-C on its terminal";
    case SIGQUIT:
      return "somebody pressed Ctrl-\\ on its terminal";
    case SIGHUP:
      return "its terminal was closed";
    case SIGALRM:
    case SIGVTALRM:
    case SIGPROF:
      return "a timer that it had set expired";
    case SIGXCPU:
      return "it reached its limit of CPU time (ulimit -t)";
    case SIGXFSZ:
      return "it reached its limit of the size of a file (ulimit -f)";
    case SIGKILL:
      return "the kernel killed it, as it does at the hard limit of CPU time, by a seccomp filter, "
             "or at the end of process 1 of its pid namespace";
    default:
      return {};
  }
}

std::string_view sent_signal_meaning(int signal) {
  switch (signal) {
    case SIGKILL:
      return "no process can handle it";
    case SIGTERM:
      return "the usual request to end";
    case SIGINT:
      return "the request to end of Ctrl-C and of many supervisors";
    case SIGHUP:
      return "the terminal is gone, or a request to reload";
    case SIGQUIT:
      return "the request to end with a core dump";
    case SIGABRT:
      return "the request to end with a core dump, as systemd sends it after a missed watchdog";
    default:
      return {};
  }
}

}  // namespace bpftrap
