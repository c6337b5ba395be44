// SPDX-License-Identifier: GPL-2.0-only
// Forking, waiting at the gate, becoming the user of sudo, and executing (see program.h).
#include "core/program.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <string_view>

#include "core/error.h"

namespace bpftrap {

namespace {

// As timeout(1), env(1) and nohup(1) use them.
enum ExitStatus { failed_itself = 125, cannot_execute = 126, not_found = 127, signal_base = 128 };

// The numbers of pidfd_open(2) and pidfd_send_signal(2) are the same on every architecture but
// alpha; the headers of an older system lack them.
#ifdef SYS_pidfd_open
constexpr long sys_pidfd_open = SYS_pidfd_open;
#else
constexpr long sys_pidfd_open = 434;
#endif
#ifdef SYS_pidfd_send_signal
constexpr long sys_pidfd_send_signal = SYS_pidfd_send_signal;
#else
constexpr long sys_pidfd_send_signal = 424;
#endif

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

File open_file(const std::string& path) {
  return File(std::fopen(path.c_str(), "re"));
}

// The first entry of that name counts, as for getenv().
std::optional<std::string_view> find(const Environment& environment, std::string_view name) {
  for (std::string_view entry : environment) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::uint32_t parse_id(std::string_view variable, std::string_view text) {
  std::uint32_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, id);
  // setresuid(2) takes 2^32 - 1 for «leave unchanged», which here is root.
  if (error != std::errc{} || parsed != end || id == std::numeric_limits<std::uint32_t>::max()) {
    const std::string name(variable);
    throw Error("cannot tell who called sudo: " + name + " is '" + std::string(text) + "', no id",
                0, "unset " + name + " to run the program as root");
  }
  return id;
}

void look_up_user(SudoUser& user, const std::string& passwd_path) {
  const File file = open_file(passwd_path);
  bool found = false;
  while (const passwd* entry = file ? fgetpwent(file.get()) : nullptr) {
    // Ids may have several names: the line with both is the user's, else the first of the id.
    const bool same_name = user.name == entry->pw_name;
    if (entry->pw_uid == user.uid && (same_name || !found)) {
      user.home = entry->pw_dir;
      user.shell = entry->pw_shell;
      found = true;
      if (same_name) {
        return;
      }
    }
  }
}

void look_up_groups(SudoUser& user, const std::string& group_path) {
  user.groups.push_back(user.gid);
  const File file = open_file(group_path);
  while (const group* entry = file ? fgetgrent(file.get()) : nullptr) {
    const std::string_view name = entry->gr_name;
    // `+group` asks NIS; glibc hands such a line out as a group with id 0.
    if (name.starts_with('+') || name.starts_with('-')) {
      continue;
    }
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
      if (user.name == *member &&
          std::find(user.groups.begin(), user.groups.end(), entry->gr_gid) == user.groups.end()) {
        user.groups.push_back(entry->gr_gid);
      }
    }
  }
}

// A pipe that keeps clear of 0, 1 and 2 where bpftrap was started without them: the child would
// take its end for a standard stream.
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

// What bpftrap's parent blocked or ignored is of no use to PROGRAM either, but for nohup's SIGHUP.
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

// False where bpftrap is gone or does not want PROGRAM any more.
bool wait_at(int gate) {
  char byte = 0;
  ssize_t count = 0;
  do {
    count = ::read(gate, &byte, sizeof byte);
  } while (count < 0 && errno == EINTR);
  return count == 1;
}

void become(const SudoUser& user) {
  if (::setgroups(user.groups.size(), user.groups.data()) != 0 ||
      ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0) {
    throw Error("cannot become the user '" + user.name + "' who called sudo", errno,
                "unset SUDO_UID to run the program as root");
  }
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

// As execvp(), but it looks before it executes, as shells and strace do: `exec --failed` would show
// a failed exec for each directory of PATH, and one that the user may not search (root's own, under
// sudo) would make «not found» a «Permission denied». Returns the errno of the failure.
int execute(const std::vector<std::string>& argv, const Environment& environment) {
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> variables = pointers(environment);
  const std::string& name = argv.front();
  if (name.empty() || name.find('/') != std::string::npos) {
    ::execvpe(name.c_str(), arguments.data(), variables.data());
    return errno;
  }
  std::string_view path = find(environment, "PATH").value_or("/bin:/usr/bin");
  int result = ENOENT;
  for (bool last = false; !last;) {
    const std::size_t colon = path.find(':');
    last = colon == std::string_view::npos;
    std::string candidate(path.substr(0, colon));
    path.remove_prefix(last ? path.size() : colon + 1);
    candidate += candidate.empty() ? "./" : "/";
    candidate += name;
    if (!is_file(candidate)) {
      continue;
    }
    if (::faccessat(AT_FDCWD, candidate.c_str(), X_OK, AT_EACCESS) != 0) {
      result = errno;  // there may be another one further on
      continue;
    }
    // With a slash in it, this searches no more, but still gives a script without #! to a shell.
    ::execvpe(candidate.c_str(), arguments.data(), variables.data());
    return errno;
  }
  return result;
}

// The child, a copy of bpftrap until it executes. bpftrap has one thread, so no lock is held that
// nobody here would release, and allocating is safe.
[[noreturn]] void run_child(int gate, const ProgramOptions& options, const Environment& environment,
                            const std::optional<SudoUser>& user) {
  reset_signals();
  if (!wait_at(gate)) {
    ::_exit(failed_itself);
  }
  // Where standard error is closed, so is standard output then: the trace is not for PROGRAM.
  if (options.stdout_to_stderr && ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    ::close(STDOUT_FILENO);
  }
  try {
    if (user) {
      become(*user);
    }
    const int err = execute(options.argv, environment);
    say(Error("cannot execute '" + options.argv.front() + "'", err));
    ::_exit(err == ENOENT ? not_found : cannot_execute);
  } catch (const Error& error) {
    say(error);
  } catch (const std::exception& error) {
    say(error.what());
  }
  ::_exit(failed_itself);
}

}  // namespace

Environment own_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    result.emplace_back(*entry);
  }
  return result;
}

std::optional<SudoUser> sudo_user(const Environment& environment, const std::string& passwd_path,
                                  const std::string& group_path) {
  const auto uid = find(environment, "SUDO_UID");
  const auto gid = find(environment, "SUDO_GID");
  const auto name = find(environment, "SUDO_USER");
  if (!uid || !gid || !name) {
    return std::nullopt;
  }
  SudoUser user;
  user.uid = parse_id("SUDO_UID", *uid);
  user.gid = parse_id("SUDO_GID", *gid);
  user.name = *name;
  user.home = find(environment, "SUDO_HOME").value_or("/");
  look_up_user(user, passwd_path);
  look_up_groups(user, group_path);
  return user;
}

Environment environment_of(const SudoUser& user, Environment environment) {
  std::vector<std::string> own{"HOME=" + user.home, "LOGNAME=" + user.name, "USER=" + user.name};
  if (!user.shell.empty()) {
    own.push_back("SHELL=" + user.shell);
  }
  std::erase_if(environment, [&own](std::string_view entry) {
    return entry.starts_with("SUDO_") ||
           std::any_of(own.begin(), own.end(), [entry](std::string_view mine) {
             return entry.starts_with(mine.substr(0, mine.find('=') + 1));
           });
  });
  environment.insert(environment.end(), own.begin(), own.end());
  return environment;
}

Program::Program(const ProgramOptions& options) {
  Environment environment = own_environment();
  std::optional<SudoUser> user;
  if (::geteuid() == 0) {
    user = sudo_user(environment);
  }
  if (user) {
    environment = environment_of(*user, std::move(environment));
  }
  auto [child_end, own_end] = open_gate();
  std::signal(SIGCHLD, SIG_DFL);
  pid_ = ::fork();
  if (pid_ < 0) {
    throw Error("cannot start a process for '" + options.argv.front() + "'", errno);
  }
  if (pid_ == 0) {
    own_end.reset();  // else the child would wait for itself
    run_child(child_end.get(), options, environment, user);
  }
  gate_ = std::move(own_end);
  gate_end_ = std::move(child_end);
  pidfd_ = UniqueFd(static_cast<int>(::syscall(sys_pidfd_open, pid_, 0)));  // is O_CLOEXEC
  if (!pidfd_) {
    const int err = errno;
    ::kill(pid_, SIGKILL);
    wait(0);
    throw Error("cannot watch the process of '" + options.argv.front() + "'", err,
                err == ENOSYS ? "starting a program needs Linux 5.3 or newer" : "");
  }
}

Program::~Program() {
  if (gate_ && !status_) {
    signal(SIGKILL);  // by the pidfd, as the sandbox allows it
    wait(0);
  }
}

void Program::release() {
  if (gate_) {
    const char byte = 1;
    [[maybe_unused]] ssize_t written = ::write(gate_.get(), &byte, sizeof byte);
    gate_.reset();
    gate_end_.reset();
  }
}

bool Program::signal(int number) {
  const auto send = [this](int which) {
    return ::syscall(sys_pidfd_send_signal, pidfd_.get(), which, nullptr, 0) == 0;
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
  return status_.value_or(failed_itself);
}

void Program::wait(int options) {
  siginfo_t info{};
  while (!status_) {
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | options) != 0) {
      if (errno == EINTR) {
        continue;
      }
      status_ = failed_itself;  // somebody else has waited for it
    } else if (info.si_pid == 0) {
      return;  // WNOHANG: still alive
    } else {
      status_ = info.si_code == CLD_EXITED ? info.si_status : signal_base + info.si_status;
    }
  }
}

}  // namespace bpftrap
