// SPDX-License-Identifier: GPL-2.0-only
// Writes a recording of many processes that never ran: fabricate FILE PROCESSES raw|deflated. One
// process in ten is a shell that executes the other nine one after the other. `fabricate measure
// PROGRAM ARGS...` prints the seconds that a program takes, and its largest resident set in MB.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/recording/recorded.h"
#include "core/recording/writer.h"
#include "unit/wire.h"

namespace bpftrap {
namespace {

constexpr std::uint64_t step_ns = 1'000'000;
constexpr Pid root_pid = 1000;
constexpr std::uint64_t begin_ns = 2'000'000'000;

class Fabrication {
 public:
  Fabrication(const char* path, bool deflated)
      : file_(std::fopen(path, "we")),
        writer_({buffer_, clock_, 1, [deflated] { return deflated; }, {}}) {
    clock_.restart_with(0);
  }

  bool write(std::uint64_t processes) {
    BootTime live{std::chrono::nanoseconds(begin_ns)};
    writer_.begin_segment();
    add(encode(HostRecord{{4096}, 2, 1, true, "host", "boot", "6.1", "0.1"}, live));
    add(encode(ClockRecord{live, 0}));
    add(encode(RunRecord{live, true, true, "record"}));
    writer_.end_state();
    fork(0, 999, begin_ns / 2);
    execute(0, std::string_view("make\0all\0", 9));
    Pid shell = 0;
    for (Pid i = 1; i < processes; ++i) {
      bool is_shell = i % 10 == 1;
      if (is_shell) {
        if (shell != 0) {
          end(shell, 0);
        }
        shell = i;
      }
      Pid parent = is_shell ? 0 : shell;
      fork(i, pid_of(parent), start_of(parent));
      std::string args = (is_shell ? "sh" : "cc") + std::string(1, '\0') + "-c" +
                         std::string(1, '\0') + "source/file" + std::to_string(i) + ".c" +
                         std::string(1, '\0');
      execute(i, args);
      if (!is_shell) {
        end(i, parent);
      }
    }
    end(shell, 0);
    end(0, 0);
    add(encode(StopRecord{BootTime(std::chrono::nanoseconds(now_)), 3 * processes, 0}));
    writer_.close_batch();
    flush();
    return std::fclose(file_) == 0;
  }

 private:
  static Pid pid_of(Pid number) { return root_pid + number; }
  static std::uint64_t start_of(Pid number) { return begin_ns + number * step_ns; }

  void add(std::string_view record) {
    writer_.add(record);
    if (buffer_.size() > 1 << 20) {
      flush();
    }
  }
  void flush() {
    std::fwrite(buffer_.data(), 1, buffer_.size(), file_);
    buffer_.clear();
  }
  template <class Wire>
  void add_event(Wire& event, std::string_view data = {}) {
    Bytes bytes = bytes_of(event, data);
    add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  template <class Wire>
  void name(Wire& event, Pid number) const {
    event.process.pid = event.process.local_pid = event.process.ns_pid = pid_of(number);
    event.process.start_boot_ns = start_of(number);
    event.process.ppid = parent_pid_;
    event.process.parent_start_boot_ns = parent_start_;
    event.header.boot_ns = now_;
  }

  void fork(Pid number, Pid parent, std::uint64_t parent_start) {
    bpftrap_fork_event event = wire_fork();
    now_ = start_of(number);
    parent_pid_ = parent;
    parent_start_ = parent_start;
    name(event, number);
    event.account = {now_ / 10, 600, now_ / step_ns, parent, 0};
    event.creator_pid = parent;
    event.creator_start_boot_ns = parent_start;
    event.flags = BPFTRAP_FORK_WANTED;
    add_event(event);
  }
  void execute(Pid number, std::string_view args) {
    now_ += step_ns / 5;
    Bytes bytes = wire_exec("/usr/bin/cc", "", args, args.size());
    bpftrap_exec_event event;
    std::memcpy(&event, bytes.data(), sizeof event);
    name(event, number);
    std::memcpy(bytes.data(), &event, sizeof event);
    add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void end(Pid number, Pid parent) {
    bpftrap_exit_event event = wire_exit(0);
    now_ += step_ns / 5;
    parent_pid_ = number == 0 ? 999 : pid_of(parent);
    parent_start_ = number == 0 ? begin_ns / 2 : start_of(parent);
    name(event, number);
    event.parent = {now_ / 10, 600, now_ / step_ns, parent_pid_, 1};
    add_event(event);
  }

  std::FILE* file_;
  std::string buffer_;
  WallClock clock_ = WallClock::recorded();
  RecordingWriter writer_;
  std::uint64_t now_ = begin_ns;
  Pid parent_pid_ = 0;
  std::uint64_t parent_start_ = 0;
};

int measure(char** program) {
  auto begin = std::chrono::steady_clock::now();
  pid_t child = ::fork();
  if (child == 0) {
    ::execvp(program[0], program);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::fprintf(stderr, "%.2f s, %ld MB\n", took.count(), used.ru_maxrss / 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace bpftrap

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "measure") == 0) {
    return bpftrap::measure(argv + 2);
  }
  if (argc != 4) {
    std::fputs("usage: fabricate FILE PROCESSES raw|deflated\n", stderr);
    return 2;
  }
  bpftrap::Fabrication fabrication(argv[1], std::strcmp(argv[3], "deflated") == 0);
  return fabrication.write(std::strtoull(argv[2], nullptr, 10)) ? 0 : 1;
}
