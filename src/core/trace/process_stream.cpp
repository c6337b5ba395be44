// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/process_stream.h"

#include <fmt/format.h>

#include <chrono>

#include "bpf/process.event.h"
#include "bpf/scope.h"
#include "core/os/error.h"
#include "core/os/file.h"
#include "core/record/decode.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

// False if the process executed another program after the one that `line` belongs to: its record
// was lost, or a filter left it out.
bool is_of_last_exec(const CommandLine& line, const ExitRecord& exit) {
  return line.exec_id ? *line.exec_id == exit.exec_id : !exit.exec_unsent;
}

// The text of /proc/self/cgroup, or one that says the same.
std::string proc_cgroup(const ProcessStreamOptions& options) {
  if (options.recorded) {
    return options.recorded->has_cgroups ? "0::/" : "";
  }
  return read_file("/proc/self/cgroup").value_or("");
}

}  // namespace

ProcessStream::ProcessStream(ProcessStreamOptions options)
    : options_(std::move(options)),
      cgroups_(proc_cgroup(options_),
               options_.command_line_bytes / (CommandLines::bytes_most / CgroupPaths::bytes_most)),
      lines_(options_.command_line_bytes,
             options_.recorded ? std::chrono::nanoseconds::zero() : proc_start_offset()) {
  if (options_.forest || options_.ancestors || options_.fail_on) {
    genealogy_.emplace(options_.levels, options_.command_line_bytes);
  }
  if (options_.fail_on) {
    fail_on_.emplace(options_.fail_on);
  }
}

RecordHandler::Result ProcessStream::handle(std::span<const std::byte> bytes, Sink& sink) {
  Decoded decoded = decode(bytes);
  Result result = take(decoded, sink);
  written_ += result == Result::written ? 1 : 0;
  malformed_ += result == Result::malformed ? 1 : 0;
  return result;
}

RecordHandler::Result ProcessStream::take(Decoded& decoded, Sink& sink) {
  if (auto* exec = std::get_if<ExecRecord>(&decoded)) {
    return write(*exec, sink);
  }
  if (auto* exit = std::get_if<ExitRecord>(&decoded)) {
    return write(*exit, sink);
  }
  if (auto* environment = std::get_if<EnvironmentRecord>(&decoded)) {
    environments_.add(*environment);
    return Result::kept;
  }
  if (auto* cgroup = std::get_if<CgroupRecord>(&decoded)) {
    cgroups_.define(*cgroup);
    return Result::kept;
  }
  if (auto* fork = std::get_if<ForkRecord>(&decoded)) {
    return write(*fork, sink);
  }
  if (auto* gone = std::get_if<GoneRecord>(&decoded)) {
    forget(*gone);
    return Result::kept;
  }
  if (auto* last = std::get_if<FinalRecord>(&decoded)) {
    if (options_.amend_exits) {
      sink.write(*last);
    }
    return Result::kept;
  }
  if (auto* gone = std::get_if<CgroupGoneRecord>(&decoded)) {
    cgroups_.forget(*gone);
    return Result::kept;
  }
  return Result::malformed;
}

void ProcessStream::forget(const GoneRecord& gone) {
  lines_.forget(gone);
  births_.ended(gone.id);
  if (genealogy_) {
    genealogy_->ended(gone.id);
  }
}

void ProcessStream::place(Process& process, unsigned& depth) {
  if (options_.ancestors) {
    process.ancestors = genealogy_->ancestors_of(process);
  }
  if (options_.forest) {
    depth = genealogy_->level_of(process);
  }
}

void ProcessStream::check_fail_on(ExecRecord& record) {
  if (fail_on_ && fail_on_->is_first_match(record)) {
    record.process.ancestors = genealogy_->ancestors_of(record.process);
    fail_on_->report(record);
  }
}

int ProcessStream::status(int program, bool to_the_end) const {
  return fail_on_ ? fail_on_->status(program, may_have_missed_execs(), to_the_end) : program;
}

bool ProcessStream::is_older(const ProcessId& id) const {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(id.start_ns)) <
         live_since_.time_since_epoch();
}

RecordHandler::Result ProcessStream::write(ForkRecord& record, Sink& sink) {
  if (options_.keep_births) {
    births_.forked(record.process);
  }
  if (genealogy_) {
    genealogy_->forked(record.process);
  }
  if (record.time < live_since_ || !record.wanted || !options_.write_forks ||
      !options_.arguments.wants(std::nullopt, record.process.comm)) {
    return Result::kept;
  }
  place(record.process, record.depth);
  cgroups_.complete(record.process);
  sink.write(record);
  return Result::written;
}

void ProcessStream::redact(std::optional<Arguments>& strings, std::string& redacted) const {
  if (strings && !options_.redaction.empty()) {
    redacted.clear();
    options_.redaction.append(redacted, strings->bytes);
    strings->bytes = redacted;
  }
}

bool ProcessStream::gives_way(const ExecRecord& record) const {
  bool bulky =
      record.error != 0 || (record.args && record.args->bytes.size() > CommandLines::long_line);
  return bulky && options_.output_crowded && options_.output_crowded();
}

RecordHandler::Result ProcessStream::write(ExecRecord& record, Sink& sink) {
  std::optional<std::string> environment;
  if (record.env_requested) {
    environment = environments_.take(record);
  }
  if (environment) {
    record.env = Arguments{*environment};
  }
  redact(record.args, redacted_args_);
  redact(record.env, redacted_env_);
  if (genealogy_ && record.error == 0) {
    genealogy_->executed(record.process, record.wanted);
  }
  check_fail_on(record);
  if (!record.wanted) {
    return Result::kept;
  }
  bool matches = options_.arguments.wants(record.args, record.process.comm);
  bool live = record.time >= live_since_;
  if (record.error == 0 && options_.write_exits && (live || !options_.exits_of_execs_only)) {
    bool in_any_case = is_older(record.process.id) || !options_.arguments.empty();
    lines_.remember(record, options_.exits_of_execs_only && in_any_case, matches);
  }
  bool wanted = record.error == 0 ? options_.write_execs : options_.write_failed_execs;
  if (!live || !wanted || !matches) {
    return Result::kept;
  }
  if (gives_way(record)) {
    ++gave_way_;
    return Result::kept;
  }
  place(record.process, record.depth);
  cgroups_.complete(record.process);
  sink.write(record);
  return Result::written;
}

RecordHandler::Result ProcessStream::write(ExitRecord& record, Sink& sink) {
  Result result = write_end(record, sink);
  births_.ended(record.process.id);
  if (genealogy_) {
    genealogy_->ended(record.process.id);
  }
  return result;
}

RecordHandler::Result ProcessStream::write_end(ExitRecord& record, Sink& sink) {
  std::optional<CommandLine> line = lines_.take(record.process);
  if (record.time < live_since_ || !options_.write_exits) {
    return Result::kept;
  }
  if (options_.exits_of_execs_only && !record.executed) {
    return Result::kept;
  }
  if (!line && options_.exits_of_execs_only) {
    // No exec of this process was reported, but a younger process must have executed something, or
    // the kernel would not have sent its end. Its exec was lost, or its command line did not fit in
    // memory. Report the end anyway.
    if (is_older(record.process.id)) {
      return Result::kept;
    }
  }
  if (line && is_of_last_exec(*line, record)) {
    record.filename = line->filename;
    record.exe = line->exe;
    record.cwd = line->cwd;
    if (line->args) {
      record.args = Arguments{*line->args, line->truncated};
    }
    // ru_maxrss never shrinks. If it grew since the exec, then by the last program.
    if (!record.peak_rss_bytes && line->max_rss_bytes &&
        record.max_rss_bytes > *line->max_rss_bytes) {
      record.peak_rss_bytes = record.max_rss_bytes;
    }
  }
  redact(record.args, redacted_args_);
  bool matches = line && options_.exits_of_execs_only
                     ? line->matched
                     : options_.arguments.wants(record.args, record.process.comm);
  if (!matches) {
    return Result::kept;
  }
  place(record.process, record.depth);
  cgroups_.complete(record.process);
  sink.write(record);
  return Result::written;
}

std::uint64_t ProcessStream::lost_records(const bpftrap_lost& lost) const {
  return (options_.write_exits ? lost.records[BPFTRAP_RECORD_EXIT] : 0) +
         (options_.write_execs ? lost.records[BPFTRAP_RECORD_EXEC] : 0) +
         (options_.write_failed_execs ? lost.records[BPFTRAP_KIND_FAILED] : 0) +
         (options_.write_forks ? lost.records[BPFTRAP_RECORD_FORK] : 0) + gave_way_;
}

void ProcessStream::account(const bpftrap_lost& lost) {
  warn_of_unmarked(lost.records[BPFTRAP_KIND_MARK]);
  warn_of_refused_lines();
  warn_of_refused_paths();
  warn_of_refused_ancestors();
  // A child that is not marked is not followed, so its execs are unknown, too.
  execs_missed_ = lost_records(lost) + lost.records[BPFTRAP_RECORD_EXEC] +
                      lost.records[BPFTRAP_KIND_UNWANTED] + lost.records[BPFTRAP_RECORD_FORK] +
                      lost.records[BPFTRAP_KIND_MARK] >
                  0;
  std::uint64_t ends = lost.records[BPFTRAP_RECORD_EXIT] + lost.records[BPFTRAP_RECORD_GONE];
  if (ends > lost_ends_) {
    lost_ends_ = ends;
    sweep_of_losses_.ends_lost();
  }
}

void ProcessStream::warn_of_unmarked(std::uint64_t unmarked) {
  if (unmarked <= unmarked_) {
    return;
  }
  std::uint64_t more = unmarked - unmarked_;
  say(fmt::format("{} process{} could not be tracked: filters may be wrong about {}", more,
                  more == 1 ? "" : "es", more == 1 ? "it" : "them"));
  unmarked_ = unmarked;
}

void ProcessStream::warn_of_refused_lines() {
  if (lines_.refused() == 0 || refused_told_) {
    return;
  }
  refused_told_ = true;
  std::string room = human_size(lines_.most());
  // Less than the usual room is a part of the cgroup's limit.
  std::string_view other_fix = lines_.most() < CommandLines::bytes_most
                                   ? ", or raise the memory limit of bpftrap's cgroup"
                                   : "";
  say(
      fmt::format("no room for the command lines of more than {} processes (maximum {}): some ends "
                  "lack their command line; follow fewer processes (--user, --tree, --cgroup){}",
                  lines_.size(), room, other_fix));
}

void ProcessStream::warn_of_refused_paths() {
  if (cgroups_.refused() == 0 || refused_paths_told_) {
    return;
  }
  refused_paths_told_ = true;
  std::string room = human_size(cgroups_.most());
  say(
      fmt::format("no room for the paths of more than {} cgroups (maximum {}): some records lack "
                  "their cgroup",
                  cgroups_.size(), room));
}

void ProcessStream::warn_of_refused_ancestors() {
  if (!genealogy_ || genealogy_->refused() == 0 || refused_ancestors_told_) {
    return;
  }
  refused_ancestors_told_ = true;
  say(
      fmt::format("no room to remember the parents of more than {} processes: some ancestors are "
                  "missing; follow fewer processes (--tree, -- PROGRAM)",
                  genealogy_->most()));
}

bool ProcessStream::wants_sweep() const {
  return sweep_of_losses_.is_due() || lines_.wants_sweep() || births_.wants_sweep() ||
         (genealogy_ && genealogy_->wants_sweep());
}

void ProcessStream::mark_dead() {
  sweep_of_losses_.started();
  lines_.mark_dead();
  births_.mark_dead();
  if (genealogy_) {
    genealogy_->mark_dead();
  }
}

void ProcessStream::forget_dead() {
  lines_.forget_dead();
  births_.forget_dead();
  if (genealogy_) {
    genealogy_->forget_dead();
  }
}

}  // namespace bpftrap
