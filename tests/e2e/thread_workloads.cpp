// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/thread_workloads.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>

#include "e2e/child.h"
#include "e2e/scope_workloads.h"

namespace e2e {

namespace {

using Arguments = std::vector<std::string>;

// Field 3 of the leader's stat: the name in field 2 has no space in these tests.
bool leader_has_ended() {
  std::string pid = std::to_string(::getpid());
  std::vector<std::string> lines = lines_of_file("/proc/self/task/" + pid + "/stat");
  return !lines.empty() && lines[0].find(") Z ") != std::string::npos;
}

void* call(void* body) {
  ::_exit((*static_cast<std::function<int()>*>(body))());
}

void start_thread(std::function<int()> body) {
  pthread_t thread{};
  ::pthread_create(&thread, nullptr, call, new std::function<int()>(std::move(body)));
}

// Ends the leader only, without what pthread_exit() does. The thread runs `body` after that.
int run_after_leader(const std::function<int()>& body) {
  self_path();  // remembered, because the links of /proc/self go with the leader
  start_thread([body] {
    while (!leader_has_ended()) {
      sleep_for(std::chrono::microseconds(100));
    }
    return body();
  });
  for (;;) {
    ::syscall(SYS_exit, 9);
  }
}

Arguments rest(const Arguments& arguments) {
  return Arguments(arguments.begin() + 1, arguments.end());
}

}  // namespace

int workload_then_after_leader(const Arguments& arguments) {
  return run_after_leader([arguments] { return exec_self(arguments); });
}

int workload_execute_from_thread(const Arguments& arguments) {
  start_thread([path = arguments.at(0)] { return exec_argv(path, {path}); });
  for (;;) {
    ::pause();
  }
}

int workload_leader_first(const Arguments& arguments) {
  return run_after_leader([code = std::stoi(arguments.at(0))] { return code; });
}

int workload_become_then(const Arguments& arguments) {
  auto uid = static_cast<uid_t>(std::stoul(arguments.at(0)));
  return ::setresuid(uid, uid, uid) == 0 ? exec_self(rest(arguments)) : 1;
}

int workload_move_then(const Arguments& arguments) {
  return workload_move(arguments) == 0 ? exec_self(rest(arguments)) : 1;
}

}  // namespace e2e
