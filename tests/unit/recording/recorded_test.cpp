// SPDX-License-Identifier: GPL-2.0-only
// Records that user space adds: what is encoded is decoded.
#include "core/recording/recorded.h"

#include <gtest/gtest.h>

#include <cstring>

#include "unit/recording/sample.h"

namespace bpftrap {
namespace {

using namespace std::literals;

// The text must live as long as the record.
template <class Record>
Record decoded_from(const std::string& bytes) {
  Recorded recorded = decode_recorded(std::as_bytes(std::span(bytes)), Machine{});
  auto* record = std::get_if<Record>(&recorded);
  EXPECT_NE(record, nullptr) << recorded.index();
  return record != nullptr ? *record : Record{};
}

bool is_malformed(std::string_view bytes) {
  return std::holds_alternative<Malformed>(
      decode_recorded(std::as_bytes(std::span(bytes)), Machine{}));
}

TEST(Recorded, Host) {
  std::string bytes = encode(host_of_sample(), BootTime(1s));
  auto host = decoded_from<HostRecord>(bytes);
  EXPECT_EQ(host.machine.page_size, 4096U);
  EXPECT_EQ(host.cpus, 2U);
  EXPECT_EQ(host.pid_ns_inode, 4026531836U);
  EXPECT_TRUE(host.has_cgroups);
  EXPECT_EQ(host.name, "machine");
  EXPECT_EQ(host.boot_id, "0123-4567");
  EXPECT_EQ(host.kernel, "6.1.0");
  EXPECT_EQ(host.bpftrap, "0.1.0");
}

TEST(Recorded, StartStopClockUser) {
  std::string bytes = encode(RunRecord{BootTime(2s), true, false, "record"});
  auto run = decoded_from<RunRecord>(bytes);
  EXPECT_EQ(run.time, BootTime(2s));
  EXPECT_TRUE(run.filtered);
  EXPECT_FALSE(run.has_program);
  EXPECT_EQ(run.command, "record");

  bytes = encode(StopRecord{BootTime(3s), 12, 5});
  auto stop = decoded_from<StopRecord>(bytes);
  EXPECT_EQ(stop.records, 12U);
  EXPECT_EQ(stop.lost, 5U);

  bytes = encode(ClockRecord{BootTime(4s), -5});
  EXPECT_EQ(decoded_from<ClockRecord>(bytes).since, BootTime(4s));
  EXPECT_EQ(decoded_from<ClockRecord>(bytes).offset_ns, -5);

  bytes = encode(UserRecord{7, "x"}, BootTime(4s));
  EXPECT_EQ(decoded_from<UserRecord>(bytes).uid, 7U);
  EXPECT_EQ(decoded_from<UserRecord>(bytes).name, "x");
}

TEST(Recorded, LossesByKind) {
  LossRecord loss{BootTime(1s), {}, 3};
  loss.lost.records[BPFTRAP_RECORD_EXIT] = 9;
  std::string bytes = encode(loss);
  EXPECT_EQ(decoded_from<LossRecord>(bytes).lost.records[BPFTRAP_RECORD_EXIT], 9U);
  EXPECT_EQ(decoded_from<LossRecord>(bytes).undecoded, 3U);
}

TEST(Recorded, OlderProcess) {
  OlderRecord older{BootTime(1s), 10, 1, 4, 77, "bash"};
  std::string bytes = encode(older);
  EXPECT_FALSE(decoded_from<OlderRecord>(bytes).args);
  EXPECT_EQ(decoded_from<OlderRecord>(bytes).comm, "bash");
  older.args = Arguments{"bash\0-l\0"sv, true};
  older.exe = "/bin/bash";
  older.cwd = "/";
  bytes = encode(older);
  auto record = decoded_from<OlderRecord>(bytes);
  EXPECT_EQ(record.pid, 10U);
  EXPECT_EQ(record.parent, 1U);
  EXPECT_EQ(record.local_pid, 4U);
  EXPECT_EQ(record.start_ticks, 77U);
  ASSERT_TRUE(record.args);
  EXPECT_EQ(record.args->bytes, "bash\0-l\0"sv);
  EXPECT_TRUE(record.args->truncated);
  EXPECT_EQ(record.exe, "/bin/bash");
  EXPECT_EQ(record.cwd, "/");
}

TEST(Recorded, StateOfProcesses) {
  std::string exec = with_kind(wire_exec("/bin/x", "", "x\0"sv, 2), recorded_last_exec);
  EXPECT_EQ(decoded_from<LastExecRecord>(exec).exec.filename, "/bin/x");
  std::string birth = with_kind(bytes_of(wire_fork()), recorded_birth);
  EXPECT_EQ(decoded_from<BirthRecord>(birth).fork.process.id.pid, 1234U);
  EXPECT_TRUE(is_malformed(with_kind(bytes_of(wire_fork()), recorded_last_exec)));
}

TEST(Recorded, RefusesEveryShorterRecord) {
  for (const std::string& whole : sample_records()) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::string cut = whole.substr(0, size);
      EXPECT_TRUE(is_malformed(cut)) << size;
      if (size >= sizeof(bpftrap_record_header)) {
        auto in_header = static_cast<std::uint32_t>(size);
        std::memcpy(cut.data(), &in_header, sizeof in_header);
        EXPECT_TRUE(is_malformed(cut)) << size << ", also in its header";
      }
    }
  }
}

TEST(Recorded, RefusesUnknownKinds) {
  EXPECT_TRUE(is_malformed(with_kind(bytes_of(wire_fork()), 200)));
}

}  // namespace
}  // namespace bpftrap
