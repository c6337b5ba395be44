// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/wait_workloads.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

#include "e2e/child.h"
#include "e2e/scope_workloads.h"

namespace e2e {

namespace {

// Uses so much CPU time of the calling thread.
void spin(const std::string& milliseconds) {
  timespec used{};
  do {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  } while (used.tv_sec * 1000 + used.tv_nsec / 1'000'000 < std::stol(milliseconds));
}

pid_t start_sleep(const std::string& milliseconds) {
  pid_t child = ::fork();
  if (child == 0) {
    ::_exit(exec_self({"sleep", milliseconds}));
  }
  return child;
}

void* sleep_in_child(void* milliseconds) {
  pid_t child = start_sleep(*static_cast<std::string*>(milliseconds));
  ::waitpid(child, nullptr, 0);
  return nullptr;
}

}  // namespace

int workload_spin(const std::vector<std::string>& arguments) {
  spin(arguments.at(0));
  return 0;
}

int workload_busy_parent(const std::vector<std::string>& arguments) {
  pid_t child = start_sleep(arguments.at(0));
  spin(arguments.at(1));
  return ::waitpid(child, nullptr, 0) == child ? 0 : 1;
}

int workload_threaded_parent(const std::vector<std::string>& arguments) {
  std::string milliseconds = arguments.at(0);
  pthread_t thread{};
  if (::pthread_create(&thread, nullptr, sleep_in_child, &milliseconds) != 0) {
    return 1;
  }
  spin(arguments.at(1));
  return ::pthread_join(thread, nullptr);
}

}  // namespace e2e
