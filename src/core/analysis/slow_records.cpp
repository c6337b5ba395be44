// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_records.h"

#include <algorithm>

#include "core/analysis/command_label.h"
#include "core/record/field_builders.h"

namespace bpftrap {

FieldTable fields_of(const RunTotals*) {
  using R = RunTotals;
  static constexpr auto table = field_table<R>(
      event_field<R>("run"),
      field<&R::wall>("wall_ns", "nanoseconds from the start of the run to its end"),
      field<&R::cpu>("cpu_ns", "nanoseconds of CPU time of all its processes"),
      field<&R::cpu_wait>("cpu_wait_ns",
                          "nanoseconds that threads of its processes were runnable without a CPU"),
      field<&R::cpus>("cpus", "CPUs of the machine"),
      field<&R::processes>("processes", "processes of the run"),
      field<&R::failed>("failed", "number of these that ended with a status other than 0"),
      field<&R::lost>("lost", "records that are missing in the recording"));
  return table;
}

FieldTable fields_of(const SegmentRecord*) {
  using R = SegmentRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("segment"),
      field<&R::id>("id", "process that determined the progress, PID-START"),
      field<&R::id, &ProcessId::pid>(
          "pid", "its process id (thread-group id) in the initial pid namespace"),
      field<&R::comm>("comm", "its name, up to 15 bytes"),
      field<&R::args>("args", "argv of the program that it ran; null if unknown"),
      field<&R::cwd>("cwd", "its current directory at that exec; null if unknown"),
      field<&R::begin_ns>("start_boot_ns", "begin of the segment in nanoseconds of CLOCK_BOOTTIME"),
      field<&R::duration>("duration_ns", "nanoseconds; those of all segments add up to wall_ns"),
      field<&R::cpu>("cpu_ns",
                     "nanoseconds of these in which the process had a CPU; null if unknown"),
      field<&R::cpu_wait>(
          "cpu_wait_ns",
          "nanoseconds in which the process was runnable without a CPU; null if unknown"),
      field<&R::blocked>("blocked_ns", "nanoseconds in which the process slept; null if unknown"),
      field<&R::estimated>("estimated", "true if the last three are no exact measurement"));
  return table;
}

std::string_view comm_of(const RecordedRun& run, const Segment& segment) {
  const RunExec* last = run.last_program(segment.process);
  if (segment.program != nullptr && segment.program != last) {
    constexpr std::size_t comm_most = 15;
    return program_name(run.text(segment.program->filename)).substr(0, comm_most);
  }
  if (segment.program == nullptr && last != nullptr) {
    // Before its first program it had the name of its parent.
    Index parent = run.processes[segment.process].parent;
    return parent == no_index ? std::string_view() : run.comm(parent);
  }
  return run.comm(segment.process);
}

SegmentRecord record_of(const RecordedRun& run, const Segment& segment) {
  SegmentRecord record;
  record.id = run.processes[segment.process].id;
  record.comm = comm_of(run, segment);
  if (segment.program != nullptr) {
    if (auto args = run.texts.get(segment.program->args)) {
      record.args = Arguments{*args, segment.program->args_truncated};
    }
    record.cwd = run.texts.get(segment.program->cwd);
  }
  record.begin_ns = segment.begin.time_since_epoch();
  record.duration = segment.duration();
  if (!segment.unknown) {
    record.cpu = segment.cpu;
    record.cpu_wait = segment.cpu_wait;
    record.blocked = segment.blocked;
  }
  record.estimated = segment.estimated;
  return record;
}

namespace {

// Saturates, because many processes of a damaged recording may have any times.
void add(std::chrono::nanoseconds& sum, std::chrono::nanoseconds time) {
  sum += std::min(time, std::chrono::nanoseconds::max() - sum);
}

}  // namespace

RunTotals totals_of(const RecordedRun& run, const CriticalPath& path,
                    const std::vector<Index>& members) {
  RunTotals totals;
  totals.wall = path.wall();
  totals.cpus = run.host.cpus;
  totals.processes = members.size();
  totals.lost = run.lost();
  for (Index index : members) {
    const RunProcess& process = run.processes[index];
    add(totals.cpu, process.cpu.user + process.cpu.system);
    add(totals.cpu_wait, process.cpu_wait.value_or(std::chrono::nanoseconds::zero()));
    totals.failed += process.end_recorded && process.wait_status != 0 ? 1 : 0;
  }
  return totals;
}

}  // namespace bpftrap
