// SPDX-License-Identifier: GPL-2.0-only
// Fields of the records about the stream itself: start, lost, stop.
#include "core/os/version.h"
#include "core/record/field_builders.h"

namespace bpftrap {

namespace {

std::uint64_t version_of_stream(const StartRecord&) {
  return stream_version;
}

std::string_view version_of_bpftrap(const StartRecord&) {
  return version();
}

std::optional<std::string_view> boot_id(const StartRecord& r) {
  return r.boot_id.empty() ? std::nullopt : std::optional<std::string_view>(r.boot_id);
}

std::optional<std::uint64_t> count_of(const LostRecord& r) {
  return r.count == 0 ? std::nullopt : std::optional<std::uint64_t>(r.count);
}

}  // namespace

FieldTable fields_of(const StartRecord*) {
  using R = StartRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("start"), field<&version_of_stream>("version", "version of this format"),
      field<&version_of_bpftrap>("bpftrap", "version of bpftrap"), time_field<R>(),
      boot_ns_field<R>(), field<&R::host>("host", "host name"),
      field<&boot_id>(
          "boot_id",
          "random id of this boot, as /proc/sys/kernel/random/boot_id; null if unreadable"),
      field<&R::kernel>("kernel", "release of the kernel"),
      field<&R::command>("command", "command of bpftrap that writes the stream"));
  return table;
}

FieldTable fields_of(const LostRecord*) {
  using R = LostRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("lost"), time_field<R>(),
      field<&count_of>("count",
                       "records that could not be delivered since the last lost record; null if "
                       "unknown"));
  return table;
}

FieldTable fields_of(const StopRecord*) {
  using R = StopRecord;
  static constexpr auto table =
      field_table<R>(event_field<R>("stop"), time_field<R>(),
                     field<&R::records>("records", "fork, exec, exit and hello records written"),
                     field<&R::lost>("lost", "total records that could not be delivered"));
  return table;
}

}  // namespace bpftrap
