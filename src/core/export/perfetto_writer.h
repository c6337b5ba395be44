// SPDX-License-Identifier: GPL-2.0-only
// Writes packets of a Perfetto trace (https://perfetto.dev/docs/reference/trace-packet-proto):
// tracks, slices, instants and counters, with interned names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace protozero {
template <typename Buffer>
class basic_pbf_writer;
}

namespace bpftrap {

using TrackId = std::uint64_t;  // unique in the trace

class PerfettoWriter {
 public:
  // All texts must be valid UTF-8.
  struct Annotation {
    std::string_view name;
    std::variant<std::uint64_t, std::string_view> value;
  };
  struct Event {
    TrackId track = 0;
    std::int64_t time_ns = 0;
    std::string_view category = {};
    std::string_view name = {};
    std::span<const Annotation> annotations = {};
    std::optional<std::uint64_t> flow_from = {};  // a flow begins here, or
    std::optional<std::uint64_t> flow_to = {};    // ends here
  };
  struct Process {
    std::uint32_t pid = 0;
    std::string_view name = {};
    std::int64_t start_ns = 0;
    std::span<const std::string> command_line = {};
  };

  explicit PerfettoWriter(std::string& out) : out_(out) {}

  // The same moment by both clocks. Called first.
  void clocks(std::int64_t boot_ns, std::int64_t wall_ns);

  // Children are shown by rank.
  TrackId add_group(std::string_view name);
  TrackId add_track(std::string_view name, TrackId parent, std::int32_t rank);
  TrackId add_counter(std::string_view name, std::string_view unit);
  void add_process(const Process& process);

  void slice(const Event& begin, std::int64_t end_ns);
  void instant(const Event& event);
  void count(TrackId counter, std::int64_t time_ns, double value);

 private:
  using Message = protozero::basic_pbf_writer<std::string>;
  enum class Kind : unsigned { category, name, annotation };
  using Index = std::unordered_map<std::string, std::uint64_t>;

  // Ends a packet that `fill` has filled in.
  template <class Fill>
  void packet(Fill fill);
  template <class Fill>
  void event(std::int64_t time_ns, unsigned type, TrackId track, Fill fill);
  void event(const Event& event, unsigned type);
  // Returns the number of the text. A new one is written into the packet.
  std::uint64_t intern(Kind kind, std::string_view text);

  std::string& out_;
  bool first_ = true;
  TrackId last_track_ = 0;
  Index indices_[3];
  std::vector<std::pair<Kind, std::string_view>> fresh_;  // of this packet
};

}  // namespace bpftrap
