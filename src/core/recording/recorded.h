// SPDX-License-Identifier: GPL-2.0-only
// The records that user space adds to a recording, built and decoded. They have the form of those
// of the ring buffer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/record/decode.h"
#include "core/recording/format.h"

namespace bpftrap {

struct HostRecord {
  Machine machine;
  std::uint32_t cpus = 1;
  std::uint32_t pid_ns_inode = 0;
  bool has_cgroups = false;  // cgroup paths are known
  std::string name = {};
  std::string boot_id = {};
  std::string kernel = {};
  std::string bpftrap = {};  // version of the recorder
};

struct RunRecord {
  BootTime time;             // recording is live
  bool filtered = false;     // the recorder had filters
  bool has_program = false;  // recording ended with PROGRAM
  std::string_view command;
};

struct ClockRecord {
  BootTime since;
  std::int64_t offset_ns = 0;
};

struct LossRecord {
  BootTime time;
  bpftrap_lost lost{};  // since the last such record
  std::uint64_t undecoded = 0;
};

// Forks, execs, failed execs and ends that were written to the directory before, or were lost.
struct TallyRecord {
  BootTime time;
  std::uint64_t events = 0;
  std::uint64_t lost = 0;
};

struct UserRecord {
  std::uint32_t uid = 0;
  std::string_view name;
};

// A process that is older than the recording.
struct OlderRecord {
  BootTime time;
  Pid pid = 0;  // in the initial pid namespace
  Pid parent = 0;
  Pid local_pid = 0;              // in that of the recorder
  std::uint64_t start_ticks = 0;  // start in units of BPFTRAP_TICK_NS
  std::string_view comm;
  std::optional<Arguments> args = {};  // none if unknown
  std::string_view exe = {};           // empty if unknown
  std::string_view cwd = {};
};

// The state of a process when a segment began.
struct LastExecRecord {
  ExecRecord exec;
};
struct BirthRecord {
  ForkRecord fork;
};

using Recorded =
    std::variant<Malformed, Decoded, HostRecord, RunRecord, StopRecord, ClockRecord, LossRecord,
                 TallyRecord, UserRecord, OlderRecord, LastExecRecord, BirthRecord>;

// Decodes a record of a recording, those of the ring buffer included. Never throws and never reads
// beyond `bytes`, into which views of the result point. A kind that a newer bpftrap has added is
// malformed.
Recorded decode_recorded(std::span<const std::byte> bytes, const Machine& machine);

// Each returns the bytes of one record. Texts that are too long are cut.
std::string encode(const HostRecord& host, BootTime time);
std::string encode(const RunRecord& run);
std::string encode(const StopRecord& stop);
std::string encode(const ClockRecord& clock);
std::string encode(const LossRecord& loss);
std::string encode(const TallyRecord& tally);
std::string encode(const UserRecord& user, BootTime time);
std::string encode(const OlderRecord& older);

// The same record with another kind.
std::string with_kind(std::span<const std::byte> record, std::uint8_t kind);

}  // namespace bpftrap
