// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/scope_workloads.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sstream>

#include "e2e/namespaces.h"

namespace e2e {

namespace {

using Arguments = std::vector<std::string>;

volatile sig_atomic_t interrupts = 0;

void wait_until_parent_is_not(pid_t parent) {
  while (::getppid() == parent) {
    sleep_for(std::chrono::microseconds(100));
  }
}

// Runs `body` in a grandchild whose parent has ended.
template <class Body>
void start_orphan(const std::string& notes, bool note_parent, Body body) {
  if (::fork() != 0) {
    return;
  }
  if (note_parent) {
    note_self(notes);
  }
  pid_t parent = ::getpid();
  if (::fork() != 0) {
    ::_exit(0);
  }
  wait_until_parent_is_not(parent);
  ::_exit(body());
}

int generation(const std::string& notes, int left, int each) {
  note_self(notes);
  if (left == 0) {
    return 0;
  }
  for (int i = 0; i < each - 2; ++i) {
    if (::fork() == 0) {
      note_self(notes);
      ::_exit(7);
    }
  }
  start_orphan(notes, true, [&] { return generation(notes, left - 1, each); });
  return 0;
}

}  // namespace

void note_self(const std::string& path) {
  std::string line =
      std::to_string(::getpid()) + " " + std::to_string(start_ticks(::getpid())) + "\n";
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    ::_exit(124);
  }
  ::close(fd);
}

std::vector<Ended> read_notes(const std::string& path) {
  std::vector<Ended> all;
  for (const std::string& line : lines_of_file(path)) {
    Ended process;
    std::istringstream(line) >> process.pid >> process.start_ticks;
    all.push_back(process);
  }
  return all;
}

int workload_note(const Arguments& arguments) {
  note_self(arguments.at(0));
  return exec_self(Arguments(arguments.begin() + 1, arguments.end()));
}

int workload_die(const Arguments& arguments) {
  ::raise(std::stoi(arguments.at(0)));
  return 0;
}

int workload_burn(const Arguments& arguments) {
  timespec used{};
  long limit = std::stol(arguments.at(0));
  while (used.tv_sec * 1'000 + used.tv_nsec / 1'000'000 < limit) {
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  }
  return 0;
}

int workload_become(const Arguments& arguments) {
  return ::setuid(static_cast<uid_t>(std::stoul(arguments.at(0))));
}

int workload_move(const Arguments& arguments) {
  int fd = ::open(arguments.at(0).c_str(), O_WRONLY | O_CLOEXEC);
  return ::write(fd, "0", 1) == 1 ? 0 : 1;
}

int workload_then_as(const Arguments& arguments) {
  return exec_argv(arguments.at(0), {arguments.at(0)});
}

int workload_say(const Arguments& arguments) {
  std::printf("%s\n", arguments.at(0).c_str());
  std::fflush(stdout);
  return 0;
}

int workload_say_state(const Arguments&) {
  std::vector<int> descriptors;
  DIR* directory = ::opendir("/proc/self/fd");
  while (dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.' && std::stoi(entry->d_name) != ::dirfd(directory)) {
      descriptors.push_back(std::stoi(entry->d_name));
    }
  }
  ::closedir(directory);
  std::sort(descriptors.begin(), descriptors.end());
  std::string text = "descriptors";
  for (int descriptor : descriptors) {
    text += " " + std::to_string(descriptor);
  }
  for (const std::string& line : lines_of_file("/proc/self/status")) {
    if (line.starts_with("SigBlk") || line.starts_with("SigIgn") || line.starts_with("SigCgt")) {
      text += "\n" + line;
    }
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  return 0;
}

// A line with the ids, and one with the supplementary groups.
std::string ids_and_groups() {
  gid_t groups[64];
  int count = ::getgroups(64, groups);
  std::string text = "ids " + std::to_string(::getuid()) + " " + std::to_string(::geteuid()) + " " +
                     std::to_string(::getgid()) + " " + std::to_string(::getegid()) + "\ngroups";
  for (int i = 0; i < count; ++i) {
    text += " " + std::to_string(groups[i]);
  }
  return text;
}

int workload_say_environment(const Arguments&) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  std::sort(variables.begin(), variables.end());
  std::fprintf(stderr, "%s\n", ids_and_groups().c_str());
  for (const std::string& variable : variables) {
    std::fprintf(stderr, "%s\n", variable.c_str());
  }
  return 0;
}

int workload_say_user(const Arguments&) {
  std::string text = ids_and_groups();
  for (const char* name : {"USER", "LOGNAME", "HOME", "SUDO_UID", "KEPT"}) {
    const char* value = std::getenv(name);
    text += std::string("\n") + name + (value != nullptr ? std::string("=") + value : " unset");
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  return 0;
}

int workload_count_interrupts(const Arguments& arguments) {
  std::signal(SIGINT, [](int) { interrupts = interrupts + 1; });
  note_self(arguments.at(0));
  std::uint64_t deadline = boot_ns_now() + 20'000'000'000U;
  while (interrupts == 0 && boot_ns_now() < deadline) {
    sleep_for(std::chrono::milliseconds(1));
  }
  sleep_for(std::chrono::milliseconds(500));
  return 10 + interrupts;
}

int workload_busy(const Arguments& arguments) {
  std::uint64_t end = boot_ns_now() + std::stoull(arguments.at(1)) * 1'000'000;
  while (boot_ns_now() < end) {
    run_workload({"nothing"});
    sleep_for(std::chrono::milliseconds(5));
  }
  note_self(arguments.at(0));
  return std::stoi(arguments.at(2));
}

int workload_daemon(const Arguments& arguments) {
  pid_t program = ::getpid();
  start_orphan(arguments.at(0), false, [&] {
    ::setsid();
    note_self(arguments.at(0));
    // A zombie has no command line, and bpftrap has not yet waited for PROGRAM.
    while (!lines_of_file("/proc/" + std::to_string(program) + "/cmdline").empty()) {
      sleep_for(std::chrono::milliseconds(1));
    }
    sleep_for(std::chrono::milliseconds(std::stoi(arguments.at(1))));
    return exec_self({"exit", "5"});
  });
  // Waits until the daemon has written its note.
  while (read_notes(arguments.at(0)).empty()) {
    sleep_for(std::chrono::milliseconds(1));
  }
  return 3;
}

int workload_orphans(const Arguments& arguments) {
  while (::access(arguments.at(0).c_str(), F_OK) != 0) {
    sleep_for(std::chrono::milliseconds(1));
  }
  for (int i = 0; i < std::stoi(arguments.at(1)); ++i) {
    pid_t parent = ::fork();
    if (parent == 0) {
      if (::fork() == 0) {
        sleep_for(std::chrono::milliseconds(1));
      }
      ::_exit(0);
    }
    ::waitpid(parent, nullptr, 0);
  }
  note_self(arguments.at(0));
  for (;;) {
    ::pause();
  }
}

int workload_successor(const Arguments&) {
  pid_t program = ::getpid();
  start_orphan("", false, [&] {
    while (::kill(program, 0) == 0) {
      sleep_for(std::chrono::milliseconds(1));
    }
    pid_t parent = ::fork();
    if (parent == 0) {
      ::_exit(fork_as(program) == 0 ? 5 : 0);
    }
    ::waitpid(parent, nullptr, 0);
    return 0;
  });
  return 3;
}

int workload_inside(const Arguments& arguments) {
  enter_pid_namespace();
  return exec_self(arguments);
}

int workload_generations(const Arguments& arguments) {
  return generation(arguments.at(0), std::stoi(arguments.at(1)), std::stoi(arguments.at(2)));
}

}  // namespace e2e
