// SPDX-License-Identifier: GPL-2.0-only
// Filters by arguments, and redaction.
#include <unistd.h>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using ArgumentsTest = TracingTest;
using Words = std::vector<std::string>;

// The kinds of the records about the process, in order.
Words kinds(const Bpftrap& bpftrap, const Ended& process) {
  Words kinds;
  for (const Record& record : bpftrap.records_of(process)) {
    kinds.push_back(record.kind());
  }
  return kinds;
}

TEST_F(ArgumentsTest, MatchAndExclude) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--match", "--workload exit [12] word", "--match", "exit 3",
                     "--exclude-match", "exit 2"});
    bpftrap.await_start();
    Ended one = run_workload({"exit", "1", "word"});
    Ended two = run_workload({"exit", "2", "word"});
    Ended three = run_workload({"exit", "3"});
    Ended other = run_workload({"exit", "1", "other"});
    EXPECT_EQ(bpftrap.stop(), 0);
    Words all = command == std::string("exec") ? Words{"exec", "exit"} : Words{"exit"};
    EXPECT_EQ(kinds(bpftrap, one), all);
    EXPECT_EQ(kinds(bpftrap, two), Words{});
    EXPECT_EQ(kinds(bpftrap, three), all);
    EXPECT_EQ(kinds(bpftrap, other), Words{});
  }
}

TEST_F(ArgumentsTest, AProcessWithoutProgramMatchesByItsName) {
  const std::string name = self_path().substr(self_path().rfind('/') + 1).substr(0, 15);
  Bpftrap bpftrap({"exit", "--json", "--match", "^" + name + "$"});
  bpftrap.await_start();
  Ended forked = Child([] { return 0; }).wait();
  Ended executed = run_workload({"nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(kinds(bpftrap, forked), Words{"exit"});
  EXPECT_EQ(kinds(bpftrap, executed), Words{}) << "its arguments are known, and do not match";
}

TEST_F(ArgumentsTest, RedactedTextIsInNoRecord) {
  for (const char* format : {"--json", "--color=never"}) {
    Bpftrap bpftrap({"exec", format, "--summary", "--env", "E2E_*", "--redact", "s3cr[0-9]t",
                     "--redact", "pass=.*"});
    bpftrap.await_start();
    Ended process = Child([] {
                      const char* const environment[] = {"E2E_TOKEN=a-s3cr5t-b", nullptr};
                      return ::execle("/bin/true", "true", "x-s3cr3t-s3cr4t", "pass=word", nullptr,
                                      environment);
                    }).wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    for (const char* secret : {"s3cr", "pass=w"}) {
      EXPECT_EQ(bpftrap.output().find(secret), std::string::npos) << secret;
      EXPECT_EQ(bpftrap.errors().find(secret), std::string::npos) << secret;
    }
    EXPECT_NE(bpftrap.output().find("x-***-***"), std::string::npos);
    if (format == std::string("--json")) {
      EXPECT_EQ(bpftrap.record_of(process, "exec").strings("env"), Words{"E2E_TOKEN=a-***-b"});
      EXPECT_EQ(bpftrap.record_of(process, "exit").strings("args").back(), "***");
    }
  }
}

TEST_F(ArgumentsTest, AWrongExpressionIsRefused) {
  for (const char* option : {"--match", "--exclude-match", "--redact"}) {
    Outcome outcome = run_bpftrap({"exec", option, "a("});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.errors.find(std::string("bpftrap: ") + option + ": 'a(' is malformed"), 0U)
        << outcome.errors;
  }
}

}  // namespace
}  // namespace e2e
