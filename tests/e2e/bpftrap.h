// SPDX-License-Identifier: GPL-2.0-only
// A running bpftrap, as seen by a user: command line, standard output, standard error, exit status.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "e2e/child.h"
#include "e2e/record.h"

namespace e2e {

class Bpftrap {
 public:
  struct Setup {
    int stdout_fd = -1;                         // replaces the pipe that this object reads
    std::vector<std::string> environment = {};  // the complete environment
    std::function<void()> before_exec = {};     // called in the child
    bool may_lose = false;                      // the test makes bpftrap lose records
    std::vector<std::string> launcher = {};     // path and words that execute bpftrap with ARGS
  };

  // Starts `bpftrap ARGS...`.
  explicit Bpftrap(const std::vector<std::string>& args) : Bpftrap(args, Setup{}) {}
  Bpftrap(const std::vector<std::string>& args, const Setup& setup);
  Bpftrap(const Bpftrap&) = delete;
  Bpftrap& operator=(const Bpftrap&) = delete;
  ~Bpftrap();

  // The path of bpftrap: the environment variable BPFTRAP_BIN, else `bpftrap` next to this test.
  static const std::string& binary();

  // These functions throw Failure if bpftrap ends instead, or takes longer than `patience`.

  // Waits for the first line: tracing is live.
  void await_start();
  // Waits until `done` returns true. `done` is called after each read.
  void await(const std::function<bool()>& done);
  // Sends the signal, then waits as wait() does.
  int stop(int signal = SIGINT);
  // Waits for the end of output and process. Returns the exit status, or 128+N after signal N.
  // A JSON stream must begin with `start` and end with `stop`, whose counts must be right. Unless
  // Setup::may_lose is set, no record may be lost.
  int wait();

  pid_t pid() const { return child_->pid(); }
  // Closes the reading end of the output.
  void close_reader();
  // Reads the available output, or waits for some until the time is over. Returns false at its end.
  bool read_for(std::chrono::milliseconds time);
  // Reads until the time is over. Other processes of the machine may cause output meanwhile.
  void keep_reading(std::chrono::milliseconds time);

  const std::string& output() const { return output_; }
  std::vector<std::string> lines() const;
  std::string errors() const;
  // Records of the JSON stream, up to now.
  const std::vector<Record>& records() const { return records_; }
  std::vector<Record> records_of(const Ended& process, const std::string& kind = "") const;
  // The only one of this kind.
  Record record_of(const Ended& process, const std::string& kind) const;

 private:
  void parse_lines();
  void check_stream() const;

  bool json_;
  bool may_lose_;
  int errors_fd_;
  int pipe_[2] = {-1, -1};
  std::optional<Child> child_;
  std::string output_;
  std::size_t parsed_ = 0;
  std::vector<Record> records_;
};

// The result of a bpftrap that ends by itself.
struct Outcome {
  int status = 0;
  std::string output;
  std::string errors;
};
Outcome run_bpftrap(const std::vector<std::string>& args, const Bpftrap::Setup& setup = {});

// Whether they have the same pid and start.
bool is_about(const Record& record, const Ended& process);

// Nanoseconds since 1970 of a `ts`.
std::uint64_t wall_ns_of(const Record& record);

// Returns "" if BPF programs may be loaded, else the reason why not.
std::string missing_privilege();

class TracingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string reason = missing_privilege(); !reason.empty()) {
      GTEST_SKIP() << reason;
    }
  }
};

}  // namespace e2e
