// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/recorded.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "bpf/scope.h"

namespace bpftrap {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t text_most = 4096;

std::uint64_t to_ns(BootTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

// Fills in the header, and joins the struct and its data.
template <class Wire>
std::string build(Wire wire, std::uint8_t kind, BootTime time, std::string_view data = {}) {
  wire.header.size = static_cast<std::uint32_t>(sizeof wire + data.size());
  wire.header.fixed = sizeof wire;
  wire.header.version = BPFTRAP_WIRE_VERSION;
  wire.header.kind = kind;
  wire.header.boot_ns = to_ns(time);
  std::string record(reinterpret_cast<const char*>(&wire), sizeof wire);
  return record.append(data);
}

// Appends at most `most` bytes of the text to `data`, and returns how many.
std::uint16_t put(std::string& data, std::string_view text, std::size_t most = text_most) {
  text = text.substr(0, most);
  data.append(text);
  return static_cast<std::uint16_t>(text.size());
}

// The struct of a record, and its data.
template <class Wire>
struct Parts {
  Wire wire;
  std::string_view data;

  BootTime time() const { return wire_time(wire.header.boot_ns); }
  // Removes a text from the front of the data. Nullopt if it is shorter.
  std::optional<std::string_view> take(std::size_t size) {
    if (size > data.size()) {
      return std::nullopt;
    }
    std::string_view text = data.substr(0, size);
    data.remove_prefix(size);
    return text;
  }
};

template <class Wire>
std::optional<Parts<Wire>> split(Bytes bytes) {
  Parts<Wire> parts;
  if (!read_wire(bytes, parts.wire) || parts.wire.header.fixed < sizeof parts.wire ||
      parts.wire.header.fixed > bytes.size()) {
    return std::nullopt;
  }
  Bytes data = bytes.subspan(parts.wire.header.fixed);
  parts.data = {reinterpret_cast<const char*>(data.data()), data.size()};
  return parts;
}

Recorded decode_host(Bytes bytes) {
  constexpr std::uint32_t cpus_most = 1U << 16;  // no kernel has so many
  auto parts = split<RecordedHost>(bytes);
  if (!parts || parts->wire.page_size == 0 || parts->wire.page_size > (1U << 24) ||
      parts->wire.cpus == 0 || parts->wire.cpus > cpus_most) {
    return Malformed{};
  }
  auto name = parts->take(parts->wire.name_size);
  auto boot_id = parts->take(parts->wire.boot_id_size);
  auto kernel = parts->take(parts->wire.kernel_size);
  auto bpftrap = parts->take(parts->wire.bpftrap_size);
  if (!name || !boot_id || !kernel || !bpftrap) {
    return Malformed{};
  }
  return HostRecord{{parts->wire.page_size},  parts->wire.cpus,
                    parts->wire.pid_ns_inode, (parts->wire.flags & host_has_cgroups) != 0,
                    std::string(*name),       std::string(*boot_id),
                    std::string(*kernel),     std::string(*bpftrap)};
}

Recorded decode_start(Bytes bytes) {
  auto parts = split<RecordedStart>(bytes);
  auto command = parts ? parts->take(parts->wire.command_size) : std::nullopt;
  if (!command) {
    return Malformed{};
  }
  return RunRecord{parts->time(), (parts->wire.flags & start_is_filtered) != 0,
                   (parts->wire.flags & start_has_program) != 0, *command};
}

Recorded decode_stop(Bytes bytes) {
  auto parts = split<RecordedStop>(bytes);
  return parts ? Recorded(StopRecord{parts->time(), parts->wire.records, parts->wire.lost})
               : Malformed{};
}

Recorded decode_clock(Bytes bytes) {
  // Wall times from 1970 to 2262, so that sums with a boot time fit 63 bits.
  constexpr std::int64_t most = std::int64_t{1} << 62;
  auto parts = split<RecordedClock>(bytes);
  if (!parts || parts->wire.offset_ns > most || parts->wire.offset_ns < -most) {
    return Malformed{};
  }
  return ClockRecord{parts->time(), parts->wire.offset_ns};
}

Recorded decode_loss(Bytes bytes) {
  auto parts = split<RecordedLoss>(bytes);
  if (!parts) {
    return Malformed{};
  }
  LossRecord loss{parts->time(), {}, parts->wire.undecoded};
  std::copy(std::begin(parts->wire.records), std::end(parts->wire.records), loss.lost.records);
  return loss;
}

Recorded decode_tally(Bytes bytes) {
  auto parts = split<RecordedTally>(bytes);
  return parts ? Recorded(TallyRecord{parts->time(), parts->wire.events, parts->wire.lost})
               : Malformed{};
}

Recorded decode_user(Bytes bytes) {
  auto parts = split<RecordedUser>(bytes);
  auto name = parts ? parts->take(parts->wire.name_size) : std::nullopt;
  return name ? Recorded(UserRecord{parts->wire.uid, *name}) : Malformed{};
}

Recorded decode_older(Bytes bytes) {
  auto parts = split<RecordedOlder>(bytes);
  if (!parts) {
    return Malformed{};
  }
  const RecordedOlder& wire = parts->wire;
  auto args = parts->take(wire.args_size);
  auto exe = parts->take(wire.exe_size);
  auto cwd = parts->take(wire.cwd_size);
  if (!args || !exe || !cwd) {
    return Malformed{};
  }
  OlderRecord older{
      parts->time(),    wire.pid,
      wire.parent,      wire.local_pid,
      wire.start_ticks, wire_text(bytes, offsetof(RecordedOlder, comm), sizeof wire.comm)};
  if ((wire.flags & older_has_args) != 0) {
    older.args = Arguments{*args, (wire.flags & older_args_cut) != 0};
  }
  older.exe = *exe;
  older.cwd = *cwd;
  return older;
}

// A record of the ring buffer that was written again, with another kind.
template <class Record, class State>
Recorded decode_state(Bytes bytes, std::uint8_t kind, const Machine& machine) {
  Decoded decoded = decode_as(bytes, kind, machine);
  auto* record = std::get_if<Record>(&decoded);
  return record != nullptr ? Recorded(State{std::move(*record)}) : Malformed{};
}

}  // namespace

Recorded decode_recorded(Bytes bytes, const Machine& machine) {
  bpftrap_record_header header;
  std::optional<Bytes> record = unframe(bytes, header);
  if (!record) {
    return Malformed{};
  }
  switch (header.kind) {
    case recorded_host:
      return decode_host(*record);
    case recorded_start:
      return decode_start(*record);
    case recorded_stop:
      return decode_stop(*record);
    case recorded_clock:
      return decode_clock(*record);
    case recorded_loss:
      return decode_loss(*record);
    case recorded_tally:
      return decode_tally(*record);
    case recorded_user:
      return decode_user(*record);
    case recorded_older:
      return decode_older(*record);
    case recorded_last_exec:
      return decode_state<ExecRecord, LastExecRecord>(*record, BPFTRAP_RECORD_EXEC, machine);
    case recorded_birth:
      return decode_state<ForkRecord, BirthRecord>(*record, BPFTRAP_RECORD_FORK, machine);
    default:
      Decoded decoded = decode(*record, machine);
      return std::holds_alternative<Malformed>(decoded) ? Recorded(Malformed{}) : Recorded(decoded);
  }
}

std::string encode(const HostRecord& host, BootTime time) {
  RecordedHost wire{};
  wire.page_size = host.machine.page_size;
  wire.ticks_per_second = 1'000'000'000 / BPFTRAP_TICK_NS;
  wire.cpus = host.cpus;
  wire.pid_ns_inode = host.pid_ns_inode;
  wire.flags = host.has_cgroups ? host_has_cgroups : 0;
  std::string data;
  wire.name_size = put(data, host.name);
  wire.boot_id_size = put(data, host.boot_id);
  wire.kernel_size = put(data, host.kernel);
  wire.bpftrap_size = put(data, host.bpftrap);
  return build(wire, recorded_host, time, data);
}

std::string encode(const RunRecord& run) {
  RecordedStart wire{};
  std::string data;
  wire.flags = (run.filtered ? start_is_filtered : 0) | (run.has_program ? start_has_program : 0);
  wire.command_size = put(data, run.command);
  return build(wire, recorded_start, run.time, data);
}

std::string encode(const StopRecord& stop) {
  RecordedStop wire{};
  wire.records = stop.records;
  wire.lost = stop.lost;
  return build(wire, recorded_stop, stop.time);
}

std::string encode(const ClockRecord& clock) {
  RecordedClock wire{};
  wire.offset_ns = clock.offset_ns;
  return build(wire, recorded_clock, clock.since);
}

std::string encode(const LossRecord& loss) {
  RecordedLoss wire{};
  std::copy(std::begin(loss.lost.records), std::end(loss.lost.records), wire.records);
  wire.undecoded = loss.undecoded;
  return build(wire, recorded_loss, loss.time);
}

std::string encode(const TallyRecord& tally) {
  RecordedTally wire{};
  wire.events = tally.events;
  wire.lost = tally.lost;
  return build(wire, recorded_tally, tally.time);
}

std::string encode(const UserRecord& user, BootTime time) {
  RecordedUser wire{};
  std::string data;
  wire.uid = user.uid;
  wire.name_size = put(data, user.name, 256);
  return build(wire, recorded_user, time, data);
}

std::string encode(const OlderRecord& older) {
  RecordedOlder wire{};
  std::string data;
  wire.start_ticks = older.start_ticks;
  wire.pid = older.pid;
  wire.parent = older.parent;
  wire.local_pid = older.local_pid;
  if (older.args) {
    wire.flags = older_has_args | (older.args->truncated ? older_args_cut : 0);
    data.append(older.args->bytes);
    wire.args_size = static_cast<std::uint32_t>(data.size());
  }
  wire.exe_size = put(data, older.exe);
  wire.cwd_size = put(data, older.cwd);
  older.comm.copy(wire.comm, sizeof wire.comm - 1);
  return build(wire, recorded_older, older.time, data);
}

std::string with_kind(Bytes record, std::uint8_t kind) {
  std::string bytes(reinterpret_cast<const char*>(record.data()), record.size());
  bytes[offsetof(bpftrap_record_header, kind)] = static_cast<char>(kind);
  return bytes;
}

}  // namespace bpftrap
