// SPDX-License-Identifier: GPL-2.0-only
// Fork, wait at the gate, execute: see program.h.
#include "core/process/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string_view>

#include "core/os/environment.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/messages.h"

namespace bpftrap {

namespace {

// A pipe whose descriptors are not 0, 1 or 2. bpftrap may have been started without these, and the
// child would use its end as a standard stream.
std::array<UniqueFd, 2> open_gate() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error("cannot create a pipe", errno);
  }
  std::array<UniqueFd, 2> gate{UniqueFd(ends[0]), UniqueFd(ends[1])};
  for (UniqueFd& end : gate) {
    if (end.get() <= STDERR_FILENO) {
      end = UniqueFd(::fcntl(end.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
      if (!end) {
        throw Error("cannot create a pipe", errno);
      }
    }
  }
  return gate;
}

// Resets signals that bpftrap's parent blocked or ignored, except for SIGHUP of nohup.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (number == SIGHUP && ::sigaction(SIGHUP, nullptr, &action) == 0 &&
        action.sa_handler == SIG_IGN) {
      continue;
    }
    std::signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Returns false if bpftrap has ended or does not start PROGRAM.
bool wait_at(int gate) {
  char byte = 0;
  ssize_t count = 0;
  do {
    count = ::read(gate, &byte, sizeof byte);
  } while (count < 0 && errno == EINTR);
  return count == 1;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    result.push_back(const_cast<char*>(string.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// Like execvp(), but it looks before it executes, as shells and strace do. Otherwise --event failed
// would report a failed exec for each directory of PATH. A directory that the user may not search,
// such as root's own under sudo, would turn "not found" into "Permission denied". Returns the errno
// of the failure.
int execute(const std::vector<std::string>& argv, const Environment& environment) {
  std::vector<char*> arguments = pointers(argv);
  std::vector<char*> variables = pointers(environment);
  const std::string& name = argv.front();
  if (name.empty() || name.find('/') != std::string::npos) {
    ::execvpe(name.c_str(), arguments.data(), variables.data());
    return errno;
  }
  std::string_view path = find_variable(environment, "PATH").value_or("/bin:/usr/bin");
  int result = ENOENT;
  for (bool last = false; !last;) {
    std::size_t colon = path.find(':');
    last = colon == std::string_view::npos;
    std::string candidate(path.substr(0, colon));
    path.remove_prefix(last ? path.size() : colon + 1);
    candidate += candidate.empty() ? "./" : "/";
    candidate += name;
    if (!is_file(candidate)) {
      continue;
    }
    if (::faccessat(AT_FDCWD, candidate.c_str(), X_OK, AT_EACCESS) != 0) {
      result = errno;  // a later directory may have an executable one
      continue;
    }
    // A path with a slash is not searched, but a script without #! still goes to a shell.
    ::execvpe(candidate.c_str(), arguments.data(), variables.data());
    return errno;
  }
  return result;
}

std::string_view hint_for(const ProgramOptions& options, int err) {
  bool searched = options.argv.front().find('/') == std::string::npos;
  bool path_is_reset = options.caller && !options.caller->environment_received;
  return err == ENOENT && searched && path_is_reset
             ? "sudo may have reset PATH: give the program's path"
             : "";
}

// The child, a copy of bpftrap until it executes. It may allocate, because bpftrap has one thread:
// no other one held a lock at the fork.
[[noreturn]] void run_child(int gate, const ProgramOptions& options,
                            const Environment& environment) {
  drop_messages();
  reset_signals();
  if (!wait_at(gate)) {
    ::_exit(bpftrap_failed);
  }
  // If standard error is closed, close standard output too, because it is for the trace.
  if (options.stdout_to_stderr && ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    ::close(STDOUT_FILENO);
  }
  try {
    if (options.caller) {
      become(*options.caller);
    }
    int err = execute(options.argv, environment);
    say(Error("cannot execute '" + options.argv.front() + "'", err, hint_for(options, err)));
    drain_messages(message_patience);
    ::_exit(err == ENOENT ? not_found : cannot_execute);
  } catch (const Error& error) {
    say(error);
  } catch (const std::exception& error) {
    say(error.what());
  }
  drain_messages(message_patience);
  ::_exit(bpftrap_failed);
}

}  // namespace

Program::Program(const ProgramOptions& options) {
  Environment environment = options.caller ? options.caller->environment : own_environment();
  auto [child_end, own_end] = open_gate();
  std::signal(SIGCHLD, SIG_DFL);
  pid_ = ::fork();
  if (pid_ < 0) {
    throw Error("cannot start a process for '" + options.argv.front() + "'", errno);
  }
  if (pid_ == 0) {
    own_end.reset();  // otherwise the child keeps its own gate closed
    run_child(child_end.get(), options, environment);
  }
  gate_ = std::move(own_end);
  gate_end_ = std::move(child_end);
  pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));  // is O_CLOEXEC
  if (!pidfd_) {
    int err = errno;
    ::kill(pid_, SIGKILL);
    wait(0);
    throw Error("cannot watch the process of '" + options.argv.front() + "'", err);
  }
}

Program::~Program() {
  if (gate_ && !status_) {
    signal(SIGKILL);  // uses the pidfd, which the sandbox allows
    wait(0);
  }
}

void Program::release() {
  if (gate_) {
    char byte = 1;
    [[maybe_unused]] ssize_t written = ::write(gate_.get(), &byte, sizeof byte);
    gate_.reset();
    gate_end_.reset();
  }
}

bool Program::signal(int number) {
  auto send = [this](int which) {
    return ::syscall(SYS_pidfd_send_signal, pidfd_.get(), which, nullptr, 0) == 0;
  };
  if (!send(number)) {
    return false;
  }
  if (number != SIGKILL && number != SIGCONT) {
    send(SIGCONT);
  }
  return true;
}

bool Program::ended() {
  wait(WNOHANG);
  return status_.has_value();
}

int Program::exit_status() {
  wait(0);
  return status_.value_or(bpftrap_failed);
}

void Program::wait(int options) {
  siginfo_t info{};
  while (!status_) {
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | options) != 0) {
      if (errno == EINTR) {
        continue;
      }
      status_ = bpftrap_failed;  // its status was taken by another wait
    } else if (info.si_pid == 0) {
      return;  // WNOHANG: still alive
    } else {
      status_ = info.si_code == CLD_EXITED ? info.si_status : ended_by_signal + info.si_status;
    }
  }
}

}  // namespace bpftrap
