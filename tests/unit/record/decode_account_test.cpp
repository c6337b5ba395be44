// SPDX-License-Identifier: GPL-2.0-only
// Decoding of CPU time and waiting.
#include <gtest/gtest.h>

#include "unit/record/decoded.h"
#include "unit/wire.h"

namespace bpftrap {
namespace {

using namespace std::literals;

TEST(Decode, WaitingIsUnknownIfTheKernelDoesNotCount) {
  bpftrap_exit_event event = wire_exit(0);
  Bytes bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).cpu_wait, std::nullopt);
  event.flags = BPFTRAP_EXIT_WAIT_KNOWN;
  bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).cpu_wait, 700ns);
  event.parent.run_delay_ns = ~0ULL;
  EXPECT_TRUE(malformed(bytes_of(event)));
}

TEST(Decode, CpuTimeIncludesWhatIsNotAccountedYet) {
  bpftrap_exit_event event = wire_exit(0);
  event.unaccounted_ns = 1'500'000;
  event.ending_ns = 500'000;
  Bytes bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).cpu, (CpuTimes{4ms, 4ms}));
  // One thread that never slept.
  event.flags = BPFTRAP_EXIT_WAIT_KNOWN;
  event.voluntary_switches = 0;
  event.run_delay_ns = 900'500'000;
  bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).cpu, (CpuTimes{50ms, 50ms})) << "of a life of a second";
  event.unaccounted_ns = ~0ULL;
  EXPECT_TRUE(malformed(bytes_of(event)));
}

TEST(Decode, Final) {
  bpftrap_final_event event{};
  event.header = wire_header(BPFTRAP_RECORD_FINAL, sizeof event);
  event.start_boot_ns = 4'000'000'000;
  event.pid = 1234;
  event.utime_ns = event.stime_ns = 4'000'000;
  event.runtime_ns = 10'000'000;
  event.run_delay_ns = 7;
  Bytes bytes = bytes_of(event);
  auto record = decoded<FinalRecord>(bytes);
  EXPECT_EQ(record.id, (ProcessId{1234, 4'000'000'000}));
  EXPECT_EQ(record.cpu, (CpuTimes{5ms, 5ms}));
  EXPECT_EQ(record.cpu_wait, std::nullopt);
  event.flags = BPFTRAP_EXIT_WAIT_KNOWN;
  bytes = bytes_of(event);
  EXPECT_EQ(decoded<FinalRecord>(bytes).cpu_wait, 7ns);
  bytes.pop_back();
  EXPECT_TRUE(malformed(bytes));
}

TEST(Decode, AParentIsBlockedIfItSleeps) {
  auto blocked = [](std::uint32_t state) {
    bpftrap_exit_event event = wire_exit(0);
    event.parent.state = state;
    Bytes bytes = bytes_of(event);
    return decoded<ExitRecord>(bytes).parent.blocked();
  };
  EXPECT_FALSE(blocked(0)) << "running, or waiting for a CPU";
  EXPECT_TRUE(blocked(1));
  EXPECT_TRUE(blocked(0x2001)) << "it may be frozen meanwhile";
  EXPECT_TRUE(blocked(0x102)) << "only deadly signals wake it";
  EXPECT_FALSE(blocked(4)) << "stopped";
}

}  // namespace
}  // namespace bpftrap
