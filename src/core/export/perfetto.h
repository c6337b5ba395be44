// SPDX-License-Identifier: GPL-2.0-only
// Implements `--perfetto`: a trace for https://ui.perfetto.dev. Each program that a process runs is
// a slice. A process has a lane to itself while it lives, below that of its parent.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/analysis/time_bounds.h"
#include "core/export/exporter.h"
#include "core/export/perfetto_writer.h"
#include "core/record/unwritten_end.h"

namespace bpftrap {

class PerfettoExport final : public Exporter {
 public:
  explicit PerfettoExport(const SinkSetup& setup) : clock_(setup.clock), writer_(setup.out) {}

  void write(const RecordView& record) override;
  void finish() override;
  std::string summary() const override;

 private:
  struct Lane {
    TrackId track = 0;
    std::int64_t free_from = 0;
  };
  // A process that lives, and the program that it runs. Texts are valid UTF-8.
  struct Living {
    std::size_t lane = 0;
    std::int64_t since = 0;  // of the program
    Pid pid = 0;
    bool is_program = false;  // it has executed one
    std::optional<std::uint64_t> flow = {};
    std::string name = {};
    std::string command = {};
    std::string directory = {};
    std::string executable = {};
    std::vector<std::string> arguments = {};
  };
  struct Lifetime {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t cpu = 0;
  };

  void take(const StartRecord& start);
  void take(const ForkRecord& fork);
  void take(const ExecRecord& exec);
  void take(const ExitRecord& exit);
  void take(const UnwrittenEnd& gone);
  void take(const LostRecord& lost);
  void stop(BootTime time);

  // Nanoseconds of the trace's clock. That of a later boot goes on where the first one is then.
  std::int64_t time_of(BootTime time) const {
    return bounded(time).time_since_epoch().count() + shift_;
  }
  std::int64_t start_of(const ProcessId& id) const;
  std::size_t take_lane(std::int64_t since, const ProcessId& parent);
  // Ends a process whose status is not known.
  void end_life(const ProcessId& id, const Living& process, std::int64_t end,
                std::string_view category);
  Living& add(const Process& process, std::int64_t since);
  void end_slice(const Living& process, std::int64_t end, std::string_view category,
                 std::vector<PerfettoWriter::Annotation> annotations);
  void describe(const Living& process, std::int64_t start);
  void count_running();
  void count_cpus();

  const WallClock& clock_;
  PerfettoWriter writer_;
  std::string boot_id_;
  std::int64_t first_offset_ = 0;  // of the wall clock
  std::int64_t shift_ = 0;
  std::int64_t begin_ = 0;  // of this run
  std::int64_t trace_begin_ = 0;
  std::int64_t last_ = 0;  // time of the last record
  TrackId group_ = 0;
  TrackId losses_ = 0;
  bool has_losses_ = false;  // in this run
  std::vector<Lane> lanes_;
  std::set<std::size_t> free_;  // of lanes_
  std::unordered_map<ProcessId, Living, ProcessIdHash> living_;
  std::vector<Lifetime> lifetimes_;
  std::uint64_t flows_ = 0;
};

}  // namespace bpftrap
