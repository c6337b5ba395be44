// SPDX-License-Identifier: GPL-2.0-only
#include "core/export/perfetto_writer.h"

#include <protozero/pbf_writer.hpp>

namespace bpftrap {

namespace {

// Numbers of fields and values, from protos/perfetto/trace/ of Perfetto.
namespace field {
constexpr unsigned trace_packet = 1;

constexpr unsigned clock_snapshot = 6;  // TracePacket
constexpr unsigned timestamp = 8;
constexpr unsigned sequence_id = 10;
constexpr unsigned track_event = 11;
constexpr unsigned interned_data = 12;
constexpr unsigned sequence_flags = 13;
constexpr unsigned track_descriptor = 60;
constexpr unsigned first_packet_on_sequence = 87;

constexpr unsigned clocks = 1;  // ClockSnapshot
constexpr unsigned clock_id = 1;
constexpr unsigned clock_timestamp = 2;

constexpr unsigned uuid = 1;  // TrackDescriptor
constexpr unsigned track_name = 2;
constexpr unsigned process = 3;
constexpr unsigned parent_uuid = 5;
constexpr unsigned counter = 8;
constexpr unsigned child_ordering = 11;
constexpr unsigned sibling_order_rank = 12;
constexpr unsigned sibling_merge_behavior = 15;

constexpr unsigned pid = 1;  // ProcessDescriptor
constexpr unsigned cmdline = 2;
constexpr unsigned process_name = 6;
constexpr unsigned start_timestamp_ns = 7;

constexpr unsigned unit_name = 6;  // CounterDescriptor

constexpr unsigned category_iids = 3;  // TrackEvent
constexpr unsigned debug_annotations = 4;
constexpr unsigned type = 9;
constexpr unsigned name_iid = 10;
constexpr unsigned track_uuid = 11;
constexpr unsigned double_counter_value = 44;
constexpr unsigned flow_ids = 47;
constexpr unsigned terminating_flow_ids = 48;

constexpr unsigned annotation_name_iid = 1;  // DebugAnnotation
constexpr unsigned uint_value = 3;
constexpr unsigned string_value = 6;

constexpr unsigned event_categories = 1;  // InternedData
constexpr unsigned event_names = 2;
constexpr unsigned debug_annotation_names = 3;
constexpr unsigned iid = 1;
constexpr unsigned interned_name = 2;
}  // namespace field

constexpr std::uint32_t clock_realtime = 1;
constexpr std::uint32_t clock_boottime = 6;
constexpr std::uint32_t state_cleared = 1;
constexpr std::uint32_t needs_state = 2;
constexpr std::int32_t explicit_order = 3;
constexpr std::int32_t merge_none = 2;
constexpr unsigned slice_begin = 1;
constexpr unsigned slice_end = 2;
constexpr unsigned instant_event = 3;
constexpr unsigned counter_event = 4;

}  // namespace

template <class Fill>
void PerfettoWriter::packet(Fill fill) {
  constexpr unsigned fields_of_index[]{field::event_categories, field::event_names,
                                       field::debug_annotation_names};
  Message trace(out_);
  Message packet(trace, field::trace_packet);
  packet.add_uint32(field::sequence_id, 1);
  packet.add_uint32(field::sequence_flags, first_ ? state_cleared : needs_state);
  if (first_) {
    packet.add_bool(field::first_packet_on_sequence, true);
    first_ = false;
  }
  fill(packet);
  if (fresh_.empty()) {
    return;
  }
  Message interned(packet, field::interned_data);
  for (const auto& [kind, text] : fresh_) {
    auto place = static_cast<unsigned>(kind);
    Message entry(interned, fields_of_index[place]);
    entry.add_uint64(field::iid, indices_[place].find(std::string(text))->second);
    entry.add_string(field::interned_name, text.data(), text.size());
  }
  fresh_.clear();
}

std::uint64_t PerfettoWriter::intern(Kind kind, std::string_view text) {
  Index& index = indices_[static_cast<unsigned>(kind)];
  auto [found, is_new] = index.try_emplace(std::string(text), index.size() + 1);
  if (is_new) {
    fresh_.emplace_back(kind, found->first);
  }
  return found->second;
}

void PerfettoWriter::clocks(std::int64_t boot_ns, std::int64_t wall_ns) {
  packet([&](Message& packet) {
    Message snapshot(packet, field::clock_snapshot);
    for (auto [id, time] :
         {std::pair(clock_boottime, boot_ns), std::pair(clock_realtime, wall_ns)}) {
      Message clock(snapshot, field::clocks);
      clock.add_uint32(field::clock_id, id);
      clock.add_uint64(field::clock_timestamp, static_cast<std::uint64_t>(time));
    }
  });
}

TrackId PerfettoWriter::add_group(std::string_view name) {
  ++last_track_;
  packet([&](Message& packet) {
    Message track(packet, field::track_descriptor);
    track.add_uint64(field::uuid, last_track_);
    track.add_string(field::track_name, name.data(), name.size());
    track.add_enum(field::child_ordering, explicit_order);
  });
  return last_track_;
}

TrackId PerfettoWriter::add_track(std::string_view name, TrackId parent, std::int32_t rank) {
  ++last_track_;
  packet([&](Message& packet) {
    Message track(packet, field::track_descriptor);
    track.add_uint64(field::uuid, last_track_);
    track.add_string(field::track_name, name.data(), name.size());
    track.add_uint64(field::parent_uuid, parent);
    track.add_int32(field::sibling_order_rank, rank);
    track.add_enum(field::sibling_merge_behavior, merge_none);
  });
  return last_track_;
}

TrackId PerfettoWriter::add_counter(std::string_view name, std::string_view unit) {
  ++last_track_;
  packet([&](Message& packet) {
    Message track(packet, field::track_descriptor);
    track.add_uint64(field::uuid, last_track_);
    track.add_string(field::track_name, name.data(), name.size());
    Message counter(track, field::counter);
    counter.add_string(field::unit_name, unit.data(), unit.size());
  });
  return last_track_;
}

void PerfettoWriter::add_process(const Process& process) {
  ++last_track_;
  packet([&](Message& packet) {
    Message track(packet, field::track_descriptor);
    track.add_uint64(field::uuid, last_track_);
    Message descriptor(track, field::process);
    descriptor.add_int32(field::pid, static_cast<std::int32_t>(process.pid));
    for (const std::string& argument : process.command_line) {
      descriptor.add_string(field::cmdline, argument);
    }
    descriptor.add_string(field::process_name, process.name.data(), process.name.size());
    descriptor.add_int64(field::start_timestamp_ns, process.start_ns);
  });
}

template <class Fill>
void PerfettoWriter::event(std::int64_t time_ns, unsigned type, TrackId track, Fill fill) {
  packet([&](Message& packet) {
    packet.add_uint64(field::timestamp, static_cast<std::uint64_t>(time_ns));
    Message event(packet, field::track_event);
    event.add_enum(field::type, static_cast<std::int32_t>(type));
    event.add_uint64(field::track_uuid, track);
    fill(event);
  });
}

void PerfettoWriter::event(const Event& given, unsigned type) {
  event(given.time_ns, type, given.track, [&](Message& event) {
    event.add_uint64(field::category_iids, intern(Kind::category, given.category));
    event.add_uint64(field::name_iid, intern(Kind::name, given.name));
    if (given.flow_from) {
      event.add_fixed64(field::flow_ids, *given.flow_from);
    }
    if (given.flow_to) {
      event.add_fixed64(field::terminating_flow_ids, *given.flow_to);
    }
    for (const Annotation& annotation : given.annotations) {
      Message message(event, field::debug_annotations);
      message.add_uint64(field::annotation_name_iid, intern(Kind::annotation, annotation.name));
      if (const auto* text = std::get_if<std::string_view>(&annotation.value)) {
        message.add_string(field::string_value, text->data(), text->size());
      } else {
        message.add_uint64(field::uint_value, std::get<std::uint64_t>(annotation.value));
      }
    }
  });
}

void PerfettoWriter::slice(const Event& begin, std::int64_t end_ns) {
  event(begin, slice_begin);
  event(end_ns, slice_end, begin.track, [](Message&) {});
}

void PerfettoWriter::instant(const Event& given) {
  event(given, instant_event);
}

void PerfettoWriter::count(TrackId counter, std::int64_t time_ns, double value) {
  event(time_ns, counter_event, counter,
        [value](Message& event) { event.add_double(field::double_counter_value, value); });
}

}  // namespace bpftrap
