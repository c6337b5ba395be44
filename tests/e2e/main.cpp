// SPDX-License-Identifier: GPL-2.0-only
// End-to-end tests: the built bpftrap (BPFTRAP_BIN) on the running kernel, with processes that the
// tests start. They need only these two static files and /proc. The schema (BPFTRAP_SCHEMA) is
// optional; records are validated against it.
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
      std::cout << "Records are not validated against the schema: " << e2e::Schema::get().reason()
                << '\n';
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (int code = e2e::run_workload_if_asked(argc, argv); code >= 0) {
    return code;
  }
  // A background job of a shell ignores some signals, and processes that the tests start would too.
  for (int signal : {SIGINT, SIGQUIT, SIGHUP, SIGPIPE}) {
    std::signal(signal, SIG_DFL);
  }
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new Environment);
  return RUN_ALL_TESTS();
}
