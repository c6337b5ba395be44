// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "e2e/child.h"
#include "e2e/failure.h"

namespace e2e {

namespace {

constexpr int clone_newtime = 0x80;  // CLONE_NEWTIME, which older headers lack

volatile sig_atomic_t inner = 0;

void write_file(const char* path, const std::string& text) {
  int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    std::fprintf(stderr, "cannot write %s: %s\n", path, std::strerror(errno));
    ::_exit(120);
  }
  ::close(fd);
}

[[noreturn]] void stay_outside(pid_t child) {
  inner = child;
  for (int number : {SIGINT, SIGTERM}) {
    std::signal(number, [](int which) { ::kill(inner, which); });
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    std::signal(WTERMSIG(status), SIG_DFL);
    ::raise(WTERMSIG(status));
  }
  ::_exit(WEXITSTATUS(status));
}

void unshare(int flags) {
  if (::unshare(flags) != 0) {
    std::perror("unshare");
    ::_exit(120);
  }
}

void enter(int flags) {
  unshare(flags | CLONE_NEWPID | CLONE_NEWNS);
}

// A new namespace of pids or times is for children.
void go_inside() {
  if (pid_t child = ::fork(); child != 0) {
    stay_outside(child);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void set_boottime_offset(int seconds) {
  write_file("/proc/self/timens_offsets", "boottime " + std::to_string(seconds) + " 0\n");
}

void become_process_1() {
  go_inside();
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", 0, nullptr) != 0) {
    std::perror("mount");
    ::_exit(120);
  }
}

}  // namespace

void enter_pid_namespace() {
  enter(0);
  become_process_1();
}

void enter_user_and_pid_namespace() {
  std::string uid_map = "0 " + std::to_string(::getuid()) + " 1\n";
  enter(CLONE_NEWUSER);
  write_file("/proc/self/uid_map", uid_map);
  become_process_1();
}

void enter_time_namespace(int seconds) {
  unshare(clone_newtime);
  set_boottime_offset(seconds);
  go_inside();
}

void enter_time_and_pid_namespace(int seconds) {
  enter(clone_newtime);
  set_boottime_offset(seconds);
  become_process_1();
}

pid_t fork_as(pid_t pid) {
  write_file("/proc/sys/kernel/ns_last_pid", std::to_string(pid - 1));
  pid_t child = ::fork();
  if (child > 0 && child != pid) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return -1;
  }
  return child;
}

std::vector<pid_t> numbers_of(pid_t pid) {
  std::vector<pid_t> numbers;
  for (const std::string& line : lines_of_file("/proc/" + std::to_string(pid) + "/status")) {
    if (line.rfind("NSpid:", 0) == 0) {
      std::istringstream rest(line.substr(6));
      for (pid_t number = 0; rest >> number;) {
        numbers.push_back(number);
      }
    }
  }
  return numbers;
}

pid_t await_process(pid_t ancestor, const std::vector<pid_t>& numbers) {
  auto is_descendant = [ancestor](pid_t pid) {
    while (pid > 1 && pid != ancestor) {
      pid_t parent = 0;
      for (const std::string& line : lines_of_file("/proc/" + std::to_string(pid) + "/status")) {
        if (line.rfind("PPid:", 0) == 0) {
          parent = std::stoi(line.substr(5));
        }
      }
      pid = parent;
    }
    return pid == ancestor;
  };
  for (int i = 0; i < 10'000; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      pid_t pid = std::atoi(entry.path().filename().c_str());
      std::vector<pid_t> all = pid > 0 ? numbers_of(pid) : std::vector<pid_t>();
      if (all.size() == numbers.size() + 1 &&
          std::equal(numbers.begin(), numbers.end(), all.begin() + 1) && is_descendant(pid)) {
        return pid;
      }
    }
    sleep_for(std::chrono::milliseconds(2));
  }
  throw Failure("a process of a pid namespace does not turn up");
}

pid_t await_program(pid_t ancestor) {
  std::string init = std::to_string(await_process(ancestor, {1}));
  for (int i = 0; i < 10'000; ++i) {
    std::vector<std::string> children =
        lines_of_file("/proc/" + init + "/task/" + init + "/children");
    if (!children.empty()) {
      return std::stoi(children.front());
    }
    sleep_for(std::chrono::milliseconds(2));
  }
  throw Failure("PROGRAM does not turn up");
}

bool has_time_namespaces() {
  return ::access("/proc/self/ns/time", F_OK) == 0;
}

}  // namespace e2e
