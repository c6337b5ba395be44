// SPDX-License-Identifier: GPL-2.0-only
// The fields of the records about the stream itself: start, lost, stop.
#include "core/os/version.h"
#include "core/record/fields_common.h"

namespace bpftrap {

namespace {

using detail::Context;

}  // namespace

std::span<const Field<StartRecord>> fields_of(const StartRecord*) {
  using R = StartRecord;
  static const std::array<Field<R>, 9> table{{
      detail::event_field<R>([](const R&, Context) { return Value(std::string_view("start")); },
                             nullptr),
      {.key = "version",
       .type = JsonType::integer,
       .doc = "version of this format",
       .value = [](const R&, Context) { return Value(stream_version); }},
      {.key = "bpftrap",
       .doc = "version of bpftrap",
       .value = [](const R&, Context) { return Value(std::string_view(version())); }},
      detail::ts_field<R>(),
      detail::boot_ns_field<R>(),
      {.key = "host",
       .doc = "host name",
       .value = [](const R& r, Context) { return Value(std::string_view(r.host)); }},
      {.key = "boot_id",
       .nullable = true,
       .doc = "random id of this boot, as /proc/sys/kernel/random/boot_id; null where unreadable",
       .value =
           [](const R& r, Context) {
             return r.boot_id.empty() ? Value() : Value(std::string_view(r.boot_id));
           }},
      {.key = "kernel",
       .doc = "release of the kernel",
       .value = [](const R& r, Context) { return Value(std::string_view(r.kernel)); }},
      {.key = "command",
       .doc = "command of bpftrap that writes this",
       .value = [](const R& r, Context) { return Value(std::string_view(r.command)); }},
  }};
  return table;
}

std::span<const Field<LostRecord>> fields_of(const LostRecord*) {
  using R = LostRecord;
  static const std::array<Field<R>, 3> table{{
      detail::event_field<R>([](const R&, Context) { return Value(std::string_view("lost")); },
                             nullptr),
      detail::ts_field<R>(),
      {.key = "count",
       .type = JsonType::integer,
       .doc = "records that could not be delivered since the last such line",
       .value = [](const R& r, Context) { return Value(r.count); }},
  }};
  return table;
}

std::span<const Field<StopRecord>> fields_of(const StopRecord*) {
  using R = StopRecord;
  static const std::array<Field<R>, 4> table{{
      detail::event_field<R>([](const R&, Context) { return Value(std::string_view("stop")); },
                             nullptr),
      detail::ts_field<R>(),
      {.key = "records",
       .type = JsonType::integer,
       .doc = "exec, exit and hello records written",
       .value = [](const R& r, Context) { return Value(r.records); }},
      {.key = "lost",
       .type = JsonType::integer,
       .doc = "records that could not be delivered, in all",
       .value = [](const R& r, Context) { return Value(r.lost); }},
  }};
  return table;
}

}  // namespace bpftrap
