// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_records.h"

#include "core/analysis/time_bounds.h"
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
      field<&R::comm>("comm", "its name in the segment, up to 15 bytes; null if unknown"),
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

std::optional<std::string_view> comm_of(const RecordedRun& run, const Segment& segment) {
  const RunProcess& process = run.processes[segment.process];
  const RunExec* last = run.last_program(segment.process);
  TextId comm = process.comm;  // which a process may change
  if (segment.program != last) {
    comm = segment.program == nullptr ? process.birth_comm : segment.program->comm;
  }
  return run.texts.get(comm);
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
    record.blocked = segment.blocked();
  }
  record.estimated = segment.estimated;
  return record;
}

RunTotals totals_of(const RecordedRun& run, const CriticalPath& path,
                    const std::vector<Index>& members) {
  RunTotals totals;
  totals.wall = path.wall();
  totals.cpus = run.host.cpus;
  totals.processes = members.size();
  totals.lost = run.lost();
  for (Index index : members) {
    const RunProcess& process = run.processes[index];
    totals.cpu = saturating_sum(totals.cpu, process.cpu.user + process.cpu.system);
    totals.cpu_wait = saturating_sum(totals.cpu_wait,
                                     process.cpu_wait.value_or(std::chrono::nanoseconds::zero()));
    totals.failed += process.end_recorded && process.wait_status != 0 ? 1 : 0;
  }
  return totals;
}

}  // namespace bpftrap
