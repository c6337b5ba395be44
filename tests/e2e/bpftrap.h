// SPDX-License-Identifier: GPL-2.0-only
// A running bpftrap, as its user has it: a command line, standard output, standard error, a status.
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
    int stdout_fd = -1;                         // instead of the pipe that this object reads
    std::vector<std::string> environment = {};  // all of it
    std::function<void()> before_exec = {};     // in the child
    bool may_lose = false;                      // losing records is what the test is about
  };

  // Starts `bpftrap ARGS...`.
  explicit Bpftrap(const std::vector<std::string>& args) : Bpftrap(args, Setup{}) {}
  Bpftrap(const std::vector<std::string>& args, const Setup& setup);
  Bpftrap(const Bpftrap&) = delete;
  Bpftrap& operator=(const Bpftrap&) = delete;
  ~Bpftrap();

  // Its path: the environment variable BPFTRAP_BIN, else `bpftrap` next to this test.
  static const std::string& binary();

  // The following throw Failure where it ends, or takes longer than `patience`, instead.

  // Waits for the first line: tracing is live.
  void await_start();
  // Waits for output that satisfies `done`, which is asked whenever there is more.
  void await(const std::function<bool()>& done);
  // Asks it to end, and as wait().
  int stop(int signal = SIGINT);
  // Waits for the end of its output and of itself; the exit status, 128+N where signal N ended it.
  // A JSON stream has to begin with `start` and to end with `stop`, whose counts are right, and
  // nothing may have been lost, but for Setup::may_lose.
  int wait();

  pid_t pid() const { return child_->pid(); }
  // The reader of its output goes away.
  void close_reader();
  // Takes what there is; false at the end of the output.
  bool read_for(std::chrono::milliseconds time);

  const std::string& output() const { return output_; }
  std::vector<std::string> lines() const;
  std::string errors() const;
  // Of the JSON stream, so far.
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

// What a bpftrap that ends by itself leaves behind.
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

// "" where BPF programs may be loaded, else the reason why not.
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
