// SPDX-License-Identifier: GPL-2.0-only
// Cells of the table that read like prose.
#include <gtest/gtest.h>

#include <csignal>

#include "core/record/process_fields.h"

namespace bpftrap {
namespace {

TEST(PidCell, IsTheNumberInBpftrapsNamespace) {
  auto cell = [](Pid local_pid, Pid pid) {
    std::string out;
    append_local_pid(out, local_pid, pid);
    return out;
  };
  EXPECT_EQ(cell(7, 1007), "7");
  EXPECT_EQ(cell(0, 1007), "-") << "outside";
  EXPECT_EQ(cell(0, 0), "0") << "the parent of process 1";
}

TEST(Status, AsAPersonSaysIt) {
  auto status = [](int wait_status, bool oom, std::optional<Sender> killer) {
    ExitRecord record;
    record.wait_status = wait_status;
    record.oom_killed = oom;
    record.killer = killer;
    std::string out;
    append_status(out, record);
    return out;
  };
  EXPECT_EQ(status(0, false, {}), "0");
  EXPECT_EQ(status(255 << 8, false, {}), "255");
  EXPECT_EQ(status(SIGSEGV | 0x80, false, {}), "SIGSEGV (core dumped)");
  EXPECT_EQ(status(SIGKILL, true, {}), "SIGKILL by oom-killer");
  EXPECT_EQ(status(SIGTERM, false, Sender{{1, 20}, 1, "systemd"}), "SIGTERM from systemd[1]");
  EXPECT_EQ(status(SIGTERM, false, Sender{{1, 20}, 1, "\x1b[2J"}), "SIGTERM from \\x1b[2J[1]");
  EXPECT_EQ(status(SIGTERM, false, Sender{{1234, 20}, 5, "sh"}), "SIGTERM from sh[5]");
  EXPECT_EQ(status(SIGTERM, false, Sender{{1234, 20}, 0, "sh"}), "SIGTERM from sh[-]") << "outside";
  EXPECT_EQ(status(SIGRTMIN + 3, false, {}), "SIGRTMIN+3");
}

TEST(Status, NamesTheLastSignalOfAProcessThatEndedByItself) {
  auto status = [](int wait_status, std::chrono::nanoseconds age) {
    ExitRecord record;
    record.wait_status = wait_status;
    record.last_signal = LastSignal{SIGTERM, Sender{{1, 20}, 1, "systemd"}, age};
    std::string out;
    append_status(out, record);
    return out;
  };
  EXPECT_EQ(status(0, std::chrono::seconds(59)), "0 after SIGTERM from systemd[1]");
  EXPECT_EQ(status(143 << 8, {}), "143 after SIGTERM from systemd[1]");
  EXPECT_EQ(status(0, std::chrono::hours(2)), "0, 2h00m after SIGTERM from systemd[1]");
  EXPECT_EQ(status(SIGKILL, {}), "SIGKILL") << "another signal ended it";
}

}  // namespace
}  // namespace bpftrap
