// SPDX-License-Identifier: GPL-2.0-only
// End-to-end tests: the built bpftrap (BPFTRAP_BIN) on the running kernel, against processes that
// the tests start. They need nothing but these two static files, /proc and, to hold the records
// against it, the schema (BPFTRAP_SCHEMA).
#include <gtest/gtest.h>

#include <csignal>
#include <iostream>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/record.h"
#include "e2e/workloads.h"

namespace {

class Environment : public testing::Environment {
 public:
  void SetUp() override {
    e2e::Bpftrap::binary();
    if (!e2e::Schema::get().loaded()) {
      std::cout << "Records are not held against a schema: " << e2e::Schema::get().reason() << '\n';
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (int code = e2e::run_workload_if_asked(argc, argv); code >= 0) {
    return code;
  }
  // A shell's background job ignores some, and the processes that tests start would, too.
  for (int signal : {SIGINT, SIGQUIT, SIGHUP, SIGPIPE}) {
    std::signal(signal, SIG_DFL);
  }
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new Environment);
  return RUN_ALL_TESTS();
}
