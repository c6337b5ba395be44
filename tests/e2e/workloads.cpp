// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/workloads.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/child.h"
#include "e2e/identity_workload.h"
#include "e2e/scope_workloads.h"
#include "e2e/stuck_memory.h"
#include "e2e/thread_workloads.h"
#include "e2e/wait_workloads.h"

namespace e2e {

namespace {

using Arguments = std::vector<std::string>;

std::chrono::milliseconds milliseconds(const Arguments& arguments) {
  return std::chrono::milliseconds(arguments.empty() ? 0 : std::stoi(arguments[0]));
}

char** raw_argv = nullptr;

int nothing(const Arguments&) {
  return 0;
}

int exit_with(const Arguments& arguments) {
  return std::stoi(arguments.at(0));
}

int sleep(const Arguments& arguments) {
  sleep_for(milliseconds(arguments));
  return 0;
}

int sleep_2s(const Arguments&) {
  sleep_for(std::chrono::seconds(2));
  return 0;
}

int pause(const Arguments&) {
  return ::pause();
}

// Starts another workload as a child.
int start(const Arguments& arguments) {
  return WEXITSTATUS(run_workload(arguments).status);
}

// Executes the path in argv[1], which then does nothing.
int then_path(const Arguments&) {
  return exec_argv(raw_argv[1], {raw_argv[1]});
}

// Takes so many MiB of memory, and writes the line VmHWM of its status to a file.
int take(const Arguments& arguments) {
  std::string memory(std::stoul(arguments.at(0)) << 20, 'x');
  std::ofstream file(arguments.at(1));
  for (const std::string& line : lines_of_file("/proc/self/status")) {
    if (line.starts_with("VmHWM:")) {
      file << line << '\n';
    }
  }
  return memory.empty() || memory.back() == 'x' ? 0 : 1;
}

// Executes another workload in the same process.
int then(const Arguments& arguments) {
  return exec_self(arguments);
}

void* exec_as_thread(void* arguments) {
  ::_exit(exec_self(*static_cast<const Arguments*>(arguments)));
}

void* pause_forever(void*) {
  for (;;) {
    ::pause();
  }
}

// Executes from a thread other than the leader, while other threads exist.
int then_from_thread(const Arguments& arguments) {
  pthread_t thread{};
  for (int i = 0; i < 3; ++i) {
    ::pthread_create(&thread, nullptr, pause_forever, nullptr);
  }
  ::pthread_create(&thread, nullptr, exec_as_thread, const_cast<Arguments*>(&arguments));
  pause_forever(nullptr);
  return 0;
}

int rename(const Arguments& arguments) {
  ::prctl(PR_SET_NAME, arguments.at(0).c_str());
  return 0;
}

int overwrite_argv(const Arguments&) {
  for (char** argument = raw_argv; *argument != nullptr; ++argument) {
    std::memset(*argument, '*', std::strlen(*argument));
  }
  return 0;
}

int call_write(const Arguments& arguments) {
  for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
    if (::write(STDOUT_FILENO, "", 0) != 0) {
      return 1;
    }
    sleep_for(std::chrono::milliseconds(5));
  }
  return 0;
}

struct Workload {
  std::string_view name;
  int (*run)(const Arguments& arguments);
};

constexpr Workload workloads[] = {
    {"nothing", nothing},
    {"exit", exit_with},
    {"sleep", sleep},
    {"sleep-2s", sleep_2s},
    {"pause", pause},
    {"start", start},
    {"then", then},
    {"then-path", then_path},
    {"take", take},
    {"then-from-thread", then_from_thread},
    {"then-after-leader", workload_then_after_leader},
    {"execute-from-thread", workload_execute_from_thread},
    {"leader-first", workload_leader_first},
    {"become-then", workload_become_then},
    {"move-then", workload_move_then},
    {"rename", rename},
    {"overwrite-argv", overwrite_argv},
    {"write", call_write},
    {"note", workload_note},
    {"die", workload_die},
    {"burn", workload_burn},
    {"become", workload_become},
    {"move", workload_move},
    {"then-as", workload_then_as},
    {"say", workload_say},
    {"say-state", workload_say_state},
    {"say-environment", workload_say_environment},
    {"say-user", workload_say_user},
    {"say-identity", workload_say_identity},
    {"count-interrupts", workload_count_interrupts},
    {"daemon", workload_daemon},
    {"busy", workload_busy},
    {"generations", workload_generations},
    {"orphans", workload_orphans},
    {"successor", workload_successor},
    {"inside", workload_inside},
    {"stuck-memory", workload_stuck_memory},
    {"spin", workload_spin},
    {"busy-parent", workload_busy_parent},
    {"threaded-parent", workload_threaded_parent},
};

}  // namespace

int run_workload_if_asked(int argc, char** argv) {
  Arguments arguments(argv, argv + argc);
  std::string name;
  raw_argv = argv;
  if (const char* variable = std::getenv(workload_variable); variable != nullptr) {
    name = variable;
    arguments.clear();
  } else if (argc >= 3 && arguments[1] == "--workload") {
    name = arguments[2];
    arguments.erase(arguments.begin(), arguments.begin() + 3);
  } else {
    return -1;
  }
  for (const Workload& workload : workloads) {
    if (workload.name == name) {
      return workload.run(arguments);
    }
  }
  std::fprintf(stderr, "unknown workload %s\n", name.c_str());
  return 126;
}

}  // namespace e2e
