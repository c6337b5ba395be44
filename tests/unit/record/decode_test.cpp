// SPDX-License-Identifier: GPL-2.0-only
#include "core/record/decode.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "unit/record/decoded.h"
#include "unit/wire.h"

namespace bpftrap {
namespace {

using namespace std::literals;

TEST(Decode, Exec) {
  Bytes bytes = wire_exec("/bin/x", "", "x\0\0a b\0"sv, 7);
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.time.time_since_epoch(), 5s);
  EXPECT_EQ(record.process.id, (ProcessId{1234, 4'000'000'000}));
  EXPECT_EQ(record.process.parent, (ProcessId{1200, 3'000'000'000}));
  EXPECT_EQ(record.process.local_pid, 34U);
  EXPECT_EQ(record.process.local_parent, 1U);
  EXPECT_EQ(record.process.ns_pid, 4U);
  EXPECT_EQ(record.process.pid_ns_inode, 4026532000U);
  EXPECT_EQ(record.process.uid, 1000U);
  EXPECT_EQ(record.process.gid, 1001U);
  EXPECT_EQ(record.process.euid, 1002U);
  EXPECT_EQ(record.process.egid, 1003U);
  EXPECT_EQ(record.process.login_uid, 1004U);
  EXPECT_EQ(record.process.audit_session, 5U);
  EXPECT_EQ(record.process.session_id, 1100U);
  EXPECT_EQ(record.process.process_group, 1150U);
  EXPECT_EQ(record.process.tty, "pts3");
  EXPECT_EQ(record.process.comm, "child");
  EXPECT_EQ(record.process.parent_comm, "parent");
  EXPECT_EQ(record.process.cgroup_id, 77U);
  EXPECT_EQ(record.filename, "/bin/x");
  EXPECT_EQ(record.interp, std::nullopt);
  ASSERT_TRUE(record.args);
  EXPECT_EQ(record.args->bytes, "x\0\0a b\0"sv);
  EXPECT_FALSE(record.args->truncated);
  EXPECT_EQ(record.args_size, 7U);
  EXPECT_EQ(record.error, 0);
}

TEST(Decode, IdentityThatIsUnset) {
  Bytes bytes = wire_exec("/bin/x", "", "x\0"sv, 2);
  auto* event = reinterpret_cast<bpftrap_exec_event*>(bytes.data());
  event->process.login_uid = event->process.audit_session = BPFTRAP_ID_UNSET;
  for (char filler : {'\0', 'x'}) {  // no terminal, and a name that is too long
    std::memset(event->process.tty, filler, sizeof event->process.tty);
    auto record = decoded<ExecRecord>(bytes);
    EXPECT_EQ(record.process.login_uid, std::nullopt);
    EXPECT_EQ(record.process.audit_session, std::nullopt);
    EXPECT_EQ(record.process.tty, std::nullopt);
  }
}

TEST(Decode, CapabilitiesAndSecure) {
  Bytes bytes = wire_exec("/bin/x", "", "x\0"sv, 2);
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.cap_effective, 0x1'0000'0001U);
  EXPECT_FALSE(record.secure);
  reinterpret_cast<bpftrap_exec_event*>(bytes.data())->flags = BPFTRAP_EXEC_SECURE;
  EXPECT_TRUE(decoded<ExecRecord>(bytes).secure);
}

TEST(Decode, Fork) {
  bpftrap_fork_event event = wire_fork();
  event.creator_pid = 7;
  event.creator_start_boot_ns = 9;
  event.flags = BPFTRAP_FORK_WANTED;
  Bytes bytes = bytes_of(event);
  auto record = decoded<ForkRecord>(bytes);
  EXPECT_EQ(record.time.time_since_epoch(), 5s);
  EXPECT_EQ(record.process.id, (ProcessId{1234, 4'000'000'000}));
  EXPECT_EQ(record.process.parent, (ProcessId{1200, 3'000'000'000}));
  EXPECT_EQ(record.creator, (ProcessId{7, 9}));
  EXPECT_TRUE(record.wanted);
  EXPECT_EQ(record.account.cpu, 500ns);
  EXPECT_EQ(record.account.cpu_wait, 600ns);
  EXPECT_EQ(record.account.voluntary_switches, 15U);
  EXPECT_EQ(record.account.tid, 1201U);
  bytes.pop_back();
  EXPECT_TRUE(malformed(bytes));
}

TEST(Decode, ScriptAndTruncatedArguments) {
  Bytes bytes = wire_exec("./s", "/bin/sh", "sh\0./"sv, 100'000);
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.filename, "./s");
  EXPECT_EQ(record.interp, "/bin/sh");
  EXPECT_EQ(record.args->bytes, "sh\0./"sv);
  EXPECT_TRUE(record.args->truncated);
  EXPECT_EQ(record.args_size, 100'000U);
}

TEST(Decode, UnreadableArgumentsAreNull) {
  Bytes bytes = wire_exec("/bin/x", "", "", 40);
  reinterpret_cast<bpftrap_exec_event*>(bytes.data())->flags = BPFTRAP_EXEC_ARGS_UNREADABLE;
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_FALSE(record.args);
  EXPECT_EQ(record.args_size, 40U);
}

TEST(Decode, UncountedArgumentsOfAFailedExec) {
  Bytes bytes = wire_exec("/bin/x", "", "a\0b\0"sv, 4);
  auto* event = reinterpret_cast<bpftrap_exec_event*>(bytes.data());
  event->flags = BPFTRAP_EXEC_ARGS_UNCOUNTED;
  event->error = E2BIG;
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.error, E2BIG);
  EXPECT_EQ(record.args->bytes, "a\0b\0"sv);
  EXPECT_TRUE(record.args->truncated);
  EXPECT_EQ(record.args_size, std::nullopt);
}

TEST(Decode, FilesOfAProcess) {
  using Kind = ProcessFile::Kind;
  Bytes bytes = wire_exec_of({{6, BPFTRAP_PATH_REACHED, 1},
                              {1, BPFTRAP_PATH_OUTSIDE, 0},
                              {8, BPFTRAP_PATH_PIPE, 0},
                              {0, BPFTRAP_PATH_LONG, 0},
                              {7, BPFTRAP_PATH_ANON, 0}},
                             "/bin/y/\x07\x01\0\0\0\0\0\0[epoll]"sv);
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.args->bytes, "x\0"sv);
  EXPECT_EQ(usable_path(record.exe), "/bin/y");
  EXPECT_EQ(is_deleted(record.exe), true);
  EXPECT_EQ(record.cwd.name, "/");
  EXPECT_EQ(usable_path(record.cwd), std::nullopt) << "outside the root";
  EXPECT_EQ(is_deleted(record.cwd), false);
  EXPECT_EQ(link_text(record.standard_files[0]), "pipe:[263]");
  EXPECT_EQ(record.standard_files[1].kind, Kind::too_long);
  EXPECT_EQ(link_text(record.standard_files[1]), std::nullopt);
  EXPECT_EQ(link_text(record.standard_files[2]), "anon_inode:[epoll]");
}

TEST(Decode, FilesOfWhichNothingIsKnown) {
  Bytes bytes = wire_exec("/bin/x", "", "x\0"sv, 2);
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(usable_path(record.exe), std::nullopt);
  EXPECT_EQ(is_deleted(record.exe), std::nullopt);
  EXPECT_EQ(link_text(record.standard_files[0]), std::nullopt);
}

TEST(ProcessFile, LinkTextIsThatOfReadlink) {
  using Kind = ProcessFile::Kind;
  EXPECT_EQ(link_text({Kind::path, "/dev/pts/3", 0, false}), "/dev/pts/3");
  EXPECT_EQ(link_text({Kind::path, "/memfd:m", 0, true}), "/memfd:m (deleted)");
  EXPECT_EQ(link_text({Kind::outside, "/dev/null", 0, false}), "/dev/null");
  EXPECT_EQ(link_text({Kind::socket, "", 4711, false}), "socket:[4711]");
}

TEST(Decode, WhatLiesBehindTheRecordIsNotRead) {
  Bytes bytes = wire_exec("/bin/x", "", "x\0"sv, 2);
  bytes.resize(bytes.size() + 300, std::byte{'!'});
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.args->bytes, "x\0"sv);
}

TEST(Decode, NamesNeedNoNul) {
  Bytes bytes = wire_exec("/bin/x", "", "", 0);
  auto* event = reinterpret_cast<bpftrap_exec_event*>(bytes.data());
  std::memset(event->process.comm, 'c', sizeof event->process.comm);
  EXPECT_EQ(decoded<ExecRecord>(bytes).process.comm, "cccccccccccccccc");
}

TEST(Decode, Exit) {
  Bytes bytes = bytes_of(wire_exit(7 << 8));
  auto record = decoded<ExitRecord>(bytes);
  EXPECT_EQ(record.wait_status, 7 << 8);
  EXPECT_EQ(record.duration, 1s);
  EXPECT_EQ(record.cpu, (CpuTimes{3ms, 3ms}));
  EXPECT_EQ(record.max_rss_bytes, 3U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(record.peak_rss_bytes, record.max_rss_bytes) << "it executed nothing";
  EXPECT_EQ(record.exec_id, 21U);
  EXPECT_FALSE(record.io) << "the kernel did not report that it counts I/O";
  EXPECT_FALSE(record.killer);
  EXPECT_FALSE(record.last_signal);
  EXPECT_FALSE(record.oom_killed);
  EXPECT_EQ(record.minor_faults, 11U);
  EXPECT_EQ(record.major_faults, 12U);
  EXPECT_EQ(record.voluntary_switches, 13U);
  EXPECT_EQ(record.involuntary_switches, 14U);
  EXPECT_EQ(record.parent.cpu, 500ns);
  EXPECT_EQ(record.parent.cpu_wait, 600ns);
  EXPECT_EQ(record.parent.voluntary_switches, 15U);
  EXPECT_EQ(record.parent.tid, 1201U);
  EXPECT_TRUE(record.parent.blocked());
}

TEST(Decode, PeakOfTheLastProgram) {
  bpftrap_exit_event event = wire_exit(0);
  event.flags = BPFTRAP_EXIT_EXECUTED;
  Bytes bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).peak_rss_bytes, std::nullopt);
  event.flags |= BPFTRAP_EXIT_PEAK_KNOWN;
  event.peak_rss_pages = 2;
  bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).peak_rss_bytes,
            2U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

TEST(Decode, ExitWithIoAndKiller) {
  bpftrap_exit_event event = wire_exit(SIGTERM);
  event.flags = BPFTRAP_EXIT_IO_COUNTED;
  event.killer = wire_sender();
  Bytes bytes = bytes_of(event);
  auto record = decoded<ExitRecord>(bytes);
  ASSERT_TRUE(record.io);
  EXPECT_EQ(record.io->read_bytes, 4096U);
  EXPECT_EQ(record.io->write_bytes, 8192U);
  ASSERT_TRUE(record.killer);
  EXPECT_EQ(record.killer->id, (ProcessId{1001, 20}));
  EXPECT_EQ(record.killer->local_pid, 1U);
  EXPECT_EQ(record.killer->comm, "systemd");
}

TEST(Decode, ExitAfterASignal) {
  bpftrap_exit_event event = wire_exit(0);
  event.last_sender = wire_sender();
  event.last_signal = SIGTERM;
  event.last_boot_ns = event.header.boot_ns - 30;
  Bytes bytes = bytes_of(event);
  auto record = decoded<ExitRecord>(bytes);
  EXPECT_FALSE(record.killer);
  ASSERT_TRUE(record.last_signal);
  EXPECT_EQ(record.last_signal->signal, SIGTERM);
  EXPECT_EQ(record.last_signal->sender.id, (ProcessId{1001, 20}));
  EXPECT_EQ(record.last_signal->sender.local_pid, 1U);
  EXPECT_EQ(record.last_signal->sender.comm, "systemd");
  EXPECT_EQ(record.last_signal->age, 30ns);

  event.last_boot_ns = event.header.boot_ns + 1;
  bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).last_signal->age, 0ns) << "the clock lags by nanoseconds";
  event.last_signal = 65;
  EXPECT_TRUE(malformed(bytes_of(event)));
}

TEST(Decode, OomVictimIsOnlyWhoDiedOfIt) {
  auto oom_killed = [](int status, std::uint32_t flags, bpftrap_sender killer = {}) {
    bpftrap_exit_event event = wire_exit(status);
    event.flags = flags;
    event.killer = killer;
    Bytes bytes = bytes_of(event);
    return decoded<ExitRecord>(bytes).oom_killed;
  };
  EXPECT_TRUE(oom_killed(SIGKILL, BPFTRAP_EXIT_OOM_VICTIM));
  EXPECT_FALSE(oom_killed(SIGKILL, 0));
  EXPECT_FALSE(oom_killed(0, BPFTRAP_EXIT_OOM_VICTIM)) << "the process was already ending";
  EXPECT_FALSE(oom_killed(SIGKILL, BPFTRAP_EXIT_OOM_VICTIM, wire_sender()));
}

TEST(Decode, Cgroup) {
  bpftrap_cgroup_event event{};
  event.header = wire_header(BPFTRAP_RECORD_CGROUP, sizeof event + 4, 4);
  event.id = 9;
  event.names_len = 4;
  Bytes bytes = bytes_of(event, "b\0a\0"sv);
  auto record = decoded<CgroupRecord>(bytes);
  EXPECT_EQ(record.id, 9U);
  EXPECT_EQ(record.names, "b\0a\0"sv);
  EXPECT_FALSE(record.truncated);
}

bpftrap_gone_event wire_gone() {
  return {wire_header(BPFTRAP_RECORD_GONE, sizeof(bpftrap_gone_event)), 4'000'000'000, 1234, 34};
}

TEST(Decode, Gone) {
  Bytes bytes = bytes_of(wire_gone());
  auto record = decoded<GoneRecord>(bytes);
  EXPECT_EQ(record.id, (ProcessId{1234, 4'000'000'000}));
  EXPECT_EQ(record.local_pid, 34U);
}

TEST(Decode, RefusesEveryShorterRecord) {
  for (const Bytes& whole :
       {wire_exec("/bin/x", "", "x\0"sv, 2), bytes_of(wire_exit(0)), bytes_of(wire_gone())}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_TRUE(malformed(cut)) << size;
      if (size >= sizeof(bpftrap_record_header)) {
        reinterpret_cast<bpftrap_record_header*>(cut.data())->size =
            static_cast<std::uint32_t>(size);
        EXPECT_TRUE(malformed(cut)) << size << ", also in its header";
      }
    }
  }
}

TEST(Decode, SkipsMembersThatANewerVersionAppended) {
  Bytes bytes = wire_exec("/bin/x", "", "x\0a\0"sv, 4);
  bytes.insert(bytes.begin() + sizeof(bpftrap_exec_event), 8, std::byte{0xff});
  auto* header = reinterpret_cast<bpftrap_record_header*>(bytes.data());
  header->size += 8;
  header->fixed += 8;
  auto record = decoded<ExecRecord>(bytes);
  EXPECT_EQ(record.filename, "/bin/x");
  EXPECT_EQ(record.args->bytes, "x\0a\0"sv);
  header->fixed = sizeof(bpftrap_exec_event) - 8;
  EXPECT_TRUE(malformed(bytes)) << "a struct that is too short";
}

TEST(Decode, TakesThePageSizeFromTheMachineOfTheRecord) {
  Bytes bytes = bytes_of(wire_exit(0));
  Decoded result = decode(bytes, Machine{.page_size = 65536});
  EXPECT_EQ(std::get<ExitRecord>(result).max_rss_bytes, 3U * 65536);
}

TEST(Decode, RefusesWrongFrames) {
  auto with_header = [](auto change) {
    Bytes bytes = bytes_of(wire_exit(0));
    change(*reinterpret_cast<bpftrap_record_header*>(bytes.data()));
    return bytes;
  };
  EXPECT_FALSE(malformed(with_header([](auto&) {})));
  EXPECT_TRUE(malformed(with_header([](auto& h) { h.version += 1; })));
  EXPECT_TRUE(malformed(with_header([](auto& h) { h.kind = 0; })));
  EXPECT_TRUE(malformed(with_header([](auto& h) { h.kind = 99; })));
  EXPECT_TRUE(malformed(with_header([](auto& h) { h.size += 8; })));
  EXPECT_TRUE(malformed(with_header([](auto& h) { h.size = 0; })));
  EXPECT_TRUE(malformed(with_header([](auto& h) { h.size = 0xffffffff; })));
}

TEST(Decode, RefusesLengthsThatContradictEachOther) {
  auto with_event = [](auto change) {
    Bytes bytes = wire_exec("/bin/x", "/bin/sh", "x\0"sv, 2);
    change(*reinterpret_cast<bpftrap_exec_event*>(bytes.data()));
    return bytes;
  };
  EXPECT_FALSE(malformed(with_event([](auto&) {})));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.filename_len = 0xffff; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.interp_len += 1; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.args_len = 0xffffffff; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.args_size = 1; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.paths[BPFTRAP_PATH_EXE].len = 1; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.paths[BPFTRAP_PATH_STDIN + 2].len = 1; })));
}

TEST(Decode, RefusesTimesOfCenturies) {
  auto with_event = [](auto change) {
    bpftrap_exit_event event = wire_exit(0);
    change(event);
    return bytes_of(event);
  };
  constexpr std::uint64_t too_long = std::uint64_t{1} << 62;
  EXPECT_FALSE(malformed(with_event([](auto& e) { e.runtime_ns = too_long - 1; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.header.boot_ns = too_long; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.process.start_boot_ns = too_long; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.runtime_ns = too_long; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.prev_utime_ns = too_long; })));
  EXPECT_TRUE(malformed(with_event([](auto& e) { e.prev_stime_ns = too_long; })));
}

TEST(Decode, NoLifeIsShorterThanNothing) {
  bpftrap_exit_event event = wire_exit(0);
  event.process.start_boot_ns = event.header.boot_ns + 1;
  Bytes bytes = bytes_of(event);
  EXPECT_EQ(decoded<ExitRecord>(bytes).duration, 0ns);
}

}  // namespace
}  // namespace bpftrap
