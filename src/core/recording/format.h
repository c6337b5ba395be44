// SPDX-License-Identifier: GPL-2.0-only
// The structs of a recording: docs/recording.md describes them to the byte. All integers are
// little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bpf/process.event.h"

namespace bpftrap {

inline constexpr char recording_magic[8] = {'\x89', 'b', 'p', 'f', 't', 'r', 'a', 'p'};
inline constexpr std::uint16_t recording_version = 1;

// Bits of RecordingBatch::codec. Neither: the payload is stored as it is.
inline constexpr std::uint16_t codec_raw = 0;
inline constexpr std::uint16_t codec_deflate = 1;
// Before it is deflated. Then a u32 with the size of the folded payload precedes the deflate
// stream.
inline constexpr std::uint16_t codec_fold = 2;

// Bits of RecordingBatch::flags.
inline constexpr std::uint16_t batch_begins_segment = 1;
inline constexpr std::uint16_t batch_begins_file = 2;  // of a directory

// Precedes the payload of each batch.
struct RecordingBatch {
  char magic[8];
  std::uint16_t version;
  std::uint16_t header_size;  // of this struct; the payload follows
  std::uint16_t codec;
  std::uint16_t flags;
  std::uint64_t run;       // random number of this run of the recorder
  std::uint64_t sequence;  // of the batch in the run, from 0
  std::uint64_t first_boot_ns;
  std::uint64_t last_boot_ns;
  std::int64_t first_wall_ns;
  std::int64_t last_wall_ns;
  std::uint32_t records;
  std::uint32_t raw_size;     // of the payload before the codec
  std::uint32_t stored_size;  // of the payload in the file
  std::uint32_t payload_crc;  // CRC32C of the payload in the file
  std::uint32_t file_number;  // of the file in its directory, from 1; else 0
  std::uint32_t header_crc;   // CRC32C of header_size bytes, in which this member is 0
};
static_assert(sizeof(RecordingBatch) == 88);

// Limits that a reader enforces.
inline constexpr std::size_t batch_header_most = 4096;
inline constexpr std::size_t batch_raw_most = std::size_t{1} << 20;

// A batch is closed when it has so many bytes, or after a second.
inline constexpr std::size_t batch_raw_usual = std::size_t{256} << 10;
// A segment ends when it has so many bytes in the file.
inline constexpr std::size_t segment_bytes = std::size_t{4} << 20;
// The same in a directory, where a window of time is often far behind the first record.
inline constexpr std::size_t directory_segment_bytes = std::size_t{512} << 10;

// Kinds of the records that user space adds. Those of the ring buffer are below 64.
enum RecordedKind : std::uint8_t {
  recorded_host = 64,
  recorded_start = 65,
  recorded_stop = 66,
  recorded_clock = 67,
  recorded_loss = 68,
  recorded_user = 69,
  recorded_older = 70,
  recorded_last_exec = 71,  // bpftrap_exec_event: the last exec of a process that lives
  recorded_birth = 72,      // bpftrap_fork_event: the fork of a process that lives
  recorded_tally = 73,
};

// The machine, and the recorder.
struct RecordedHost {
  bpftrap_record_header header;
  std::uint64_t page_size;
  std::uint32_t ticks_per_second;  // of start_ticks
  std::uint32_t cpus;
  std::uint32_t pid_ns_inode;  // pid namespace of the recorder
  std::uint32_t flags;         // host_has_cgroups
  std::uint16_t name_size;     // of each text in the data, in this order
  std::uint16_t boot_id_size;
  std::uint16_t kernel_size;
  std::uint16_t bpftrap_size;
};
inline constexpr std::uint32_t host_has_cgroups = 1;  // cgroup paths are known

// Recording began at boot_ns of the header. The data is the command.
struct RecordedStart {
  bpftrap_record_header header;
  std::uint32_t flags;  // start_*
  std::uint32_t command_size;
};
inline constexpr std::uint32_t start_is_filtered = 1;  // the recorder had filters
inline constexpr std::uint32_t start_has_program = 2;  // it was started with PROGRAM

struct RecordedStop {
  bpftrap_record_header header;
  std::uint64_t records;
  std::uint64_t lost;
};

// From boot_ns on, the wall clock is CLOCK_BOOTTIME plus the offset.
struct RecordedClock {
  bpftrap_record_header header;
  std::int64_t offset_ns;
};

// Losses since the last such record, by kind.
struct RecordedLoss {
  bpftrap_record_header header;
  std::uint64_t records[BPFTRAP_KINDS_MOST];
  std::uint64_t undecoded;
};

// Forks, execs, failed execs and ends that were written to the directory before this record, or
// were lost.
struct RecordedTally {
  bpftrap_record_header header;
  std::uint64_t events;
  std::uint64_t lost;
};

// The data is the name of the user.
struct RecordedUser {
  bpftrap_record_header header;
  std::uint32_t uid;
  std::uint32_t name_size;
};

// Bits of RecordedOlder::flags.
inline constexpr std::uint32_t older_has_args = 1;
inline constexpr std::uint32_t older_args_cut = 2;

// A process that is older than the recording. The data is argv, exe and cwd.
struct RecordedOlder {
  bpftrap_record_header header;
  std::uint64_t start_ticks;
  std::uint32_t pid;  // in the initial pid namespace
  std::uint32_t parent;
  std::uint32_t local_pid;  // in that of the recorder
  std::uint32_t flags;
  std::uint32_t args_size;
  std::uint16_t exe_size;
  std::uint16_t cwd_size;
  char comm[BPFTRAP_COMM_SIZE];
};

// As BPFTRAP_WIRE_STRUCT of bpf/record.h, for structs of this namespace.
#define BPFTRAP_RECORDED_STRUCT(name, bytes)                         \
  constexpr bool is_wire_struct(const name*) {                       \
    return true;                                                     \
  }                                                                  \
  static_assert(sizeof(name) == (bytes), #name " has another size"); \
  static_assert(std::has_unique_object_representations_v<name>, "padding")
BPFTRAP_RECORDED_STRUCT(RecordingBatch, 88);
BPFTRAP_RECORDED_STRUCT(RecordedHost, 48);
BPFTRAP_RECORDED_STRUCT(RecordedStart, 24);
BPFTRAP_RECORDED_STRUCT(RecordedStop, 32);
BPFTRAP_RECORDED_STRUCT(RecordedClock, 24);
BPFTRAP_RECORDED_STRUCT(RecordedLoss, 152);
BPFTRAP_RECORDED_STRUCT(RecordedTally, 32);
BPFTRAP_RECORDED_STRUCT(RecordedUser, 24);
BPFTRAP_RECORDED_STRUCT(RecordedOlder, 64);
#undef BPFTRAP_RECORDED_STRUCT

}  // namespace bpftrap
