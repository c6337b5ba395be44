// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <utility>

#include "cli/export_options.h"
#include "cli/process_command.h"
#include "cli/recording.h"
#include "cli/show_cursor.h"
#include "cli/show_source.h"
#include "core/analysis/summary_report.h"
#include "core/analysis/summary_sink.h"
#include "core/export/script.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/messages.h"
#include "core/os/signals.h"
#include "core/output/detail_sink.h"
#include "core/output/json_sink.h"
#include "core/output/quiet_sink.h"
#include "core/output/table_sink.h"
#include "core/recording/batch_stream.h"
#include "core/text/text.h"
#include "core/trace/replay.h"

namespace bpftrap {

namespace {

// Output that is gathered before it is written.
constexpr std::size_t usual_write = std::size_t{256} << 10;

std::vector<FieldTable> record_kinds() {
  return {fields<ForkRecord>(), fields<ExecRecord>(), fields<ExitRecord>()};
}

// True if the end of the recording must be known before its records are read.
bool needs_end(const ShowOptions& options, const Source& source) {
  bool is_table = options.trace.output.format == nullptr;
  return is_table || options.last || options.follow || source.is_default;
}

class Show {
 public:
  Show(const ShowOptions& options, Source source)
      : options_(options),
        source_(std::move(source)),
        stream_(BatchStream::of(source_.file.get())),
        outline_(read_outline(stream_, {options.since_ns, options.until_ns},
                              needs_end(options, source_))),
        output_(open_output(options.trace.output, signals_.fd())),
        exports_(options.trace.exports, {}, signals_.fd()),
        patience_(signals_),
        cursor_(options.cursor_file) {}

  int run();

 private:
  ReplayOptions replay_options() const;
  SinkSetup sink_setup();
  std::unique_ptr<Sink> make_sink();
  std::uint64_t count_passed(BatchPosition from);
  // Sets where to begin, so that at least so many records follow; returns how many to skip.
  std::uint64_t skip_to_last(std::uint64_t last);
  // Reads batches to the end. Returns false if a signal or the output ended it.
  bool read_all(Replay& replay, bool printing);
  void store_cursor();
  bool is_interrupted();
  bool flush(bool all);
  void follow(Replay& replay);
  void report(Replay& replay);
  void report_pauses(Replay& replay);
  // Says so if nothing was printed; returns the exit status.
  int report_empty(const Replay& replay) const;
  // The time span of the recording.
  std::string span() const;
  void say_default() const;

  const ShowOptions& options_;
  Source source_;
  StopSignals signals_;
  BatchStream stream_;
  Outline outline_;
  std::unique_ptr<Output> output_;
  Exports exports_;
  const ScriptSink* script_ = nullptr;  // of --script
  Patience patience_;
  WallClock clock_ = WallClock::recorded();
  Users users_{""};
  BatchPosition begin_;
  ShowCursor cursor_;
  std::size_t pauses_ = 0;
  Progress progress_;
  bool complete_ = false;  // everything is read
};

ReplayOptions Show::replay_options() const {
  const TraceOptions& trace = options_.trace;
  ReplayOptions replay;
  replay.stream = stream_options(trace);
  replay.stream.command_line_bytes = std::size_t{16} << 20;
  replay.scope = make_scope(trace);
  replay.scope.uids_count = static_cast<std::uint32_t>(options_.users.size());
  replay.selection = {trace.pids, trace.trees, options_.users, trace.cgroups};
  replay.since_ns = cursor_.has_position() ? std::nullopt : options_.since_ns;
  replay.until_ns = options_.until_ns;
  replay.write_unwritten = !trace.exports.empty();
  replay.clip = trace.output.summary || !trace.exports.empty();
  if (source_.process) {
    replay.selection.pids = {*source_.process};
    replay.scope.filter_pids = 1;
  }
  return replay;
}

SinkSetup Show::sink_setup() {
  const OutputOptions& output = options_.trace.output;
  std::vector<ColumnChoice> columns = {{"TIME"},      {"EVENT", 100}, {"PID"},    {"PARENT"},
                                       {"USER", 120}, {"DURATION"},   {"STATUS"}, {"COMMAND"}};
  bool whole = output.table.wide || !output_->terminal();
  std::size_t width = whole ? 0 : output_->terminal_columns();
  SinkSetup setup{output_->buffer(), clock_, record_kinds()};
  setup.columns = chosen_columns(output.table, fitting_columns(columns, width));
  setup.header = !output.no_header && !output.summary;
  setup.color = wants_color(output, *output_);
  if (!whole) {
    setup.row_width = [this] { return output_->terminal_columns(); };
  }
  setup.roomy = width == 0 || width >= 100;
  setup.utc = output.table.utc;
  setup.dates = needs_dates(outline_, {options_.since_ns, options_.until_ns}, output.table.utc);
  setup.users = &users_;
  setup.with_host = true;
  return setup;
}

std::unique_ptr<Sink> Show::make_sink() {
  if (options_.script) {
    auto script =
        std::make_unique<ScriptSink>(SinkSetup{output_->buffer(), clock_}, *options_.script);
    script_ = script.get();
    return exports_.make_sink(clock_, std::move(script));
  }
  if (!options_.trace.exports.empty()) {
    return exports_.make_sink(clock_);
  }
  const OutputOptions& output = options_.trace.output;
  SinkSetup setup = sink_setup();
  std::unique_ptr<Sink> sink =
      bpftrap::make_sink(output, setup, source_.process ? make<DetailSink> : make<TableSink>);
  if (!output.summary) {
    return sink;
  }
  sink = std::make_unique<QuietSink>(std::move(sink), setup.kinds);
  auto report = [this, color = setup.color](const std::vector<SummaryRecord>& rows) {
    if (options_.trace.output.format != nullptr) {
      return;  // the sink writes them
    }
    SummaryLook look{.color = color};
    look.columns = output_->terminal() ? output_->terminal_columns() : look.columns;
    output_->buffer() += summary_report(rows, look);
  };
  SummaryOptions summary{outline_.host.cpus, outline_.has_program};
  return std::make_unique<SummarySink>(std::move(sink), summary, report);
}

bool Show::is_interrupted() {
  pollfd ready{signals_.fd(), POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

bool Show::flush(bool all) {
  if (!exports_.flush(patience_)) {
    return false;
  }
  if (all || output_->waiting() >= usual_write) {
    return output_->drain(patience_) && !output_->reader_gone();
  }
  return !output_->reader_gone();
}

bool Show::read_all(Replay& replay, bool printing) {
  while (std::optional<BatchPlace> place = stream_.next()) {
    if (is_interrupted() || !flush(false)) {
      return false;
    }
    if (outline_.end && position_of(*place) > *outline_.end) {
      return true;
    }
    cursor_.read_batch(stream_, *place, replay);
    if (printing) {
      progress_.show(stream_.done(), outline_.size, output_->terminal());
    }
    if (options_.follow && cursor_.is_due() && flush(true)) {
      store_cursor();
    }
    if (replay.is_done()) {
      return true;
    }
  }
  return true;
}

std::uint64_t Show::count_passed(BatchPosition from) {
  NullSink nowhere;
  BatchStream stream = stream_.again();
  std::swap(stream, stream_);
  stream_.seek(from);
  Replay replay(replay_options(), clock_, users_, nowhere);
  read_all(replay, false);
  std::swap(stream, stream_);
  return replay.passed();
}

std::uint64_t Show::skip_to_last(std::uint64_t last) {
  const std::vector<BatchPosition>& segments = outline_.segments;
  // Twice as many segments each time, so that few are read twice.
  for (std::size_t back = 1;; back *= 2) {
    std::size_t at = back < segments.size() ? segments.size() - back : 0;
    begin_ = std::max(segments.empty() ? BatchPosition{} : segments[at], outline_.begin);
    std::uint64_t passed = count_passed(begin_);
    if (passed >= last || at == 0 || begin_ == outline_.begin) {
      return passed > last ? passed - last : 0;
    }
  }
}

void Show::store_cursor() {
  if (output_->waiting() == 0 && !output_->reader_gone()) {
    cursor_.store();
  }
}

void Show::follow(Replay& replay) {
  SourceChanges changes(source_);
  while (read_all(replay, false) && flush(true) && !replay.is_done() &&
         (source_.is_directory || !replay.has_stopped())) {
    if (cursor_.is_due()) {
      store_cursor();
    }
    report_pauses(replay);
    std::array<pollfd, 3> ready{pollfd{changes.fd(), POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0},
                                pollfd{output_->fd(), 0, 0}};
    int patience = cursor_.is_used() ? 1000 : -1;
    if (::poll(ready.data(), ready.size(), patience) < 0 || ready[1].revents != 0 ||
        ready[2].revents != 0) {
      return;
    }
    stream_.expect_files(changes.has_other_than(stream_.name()));
  }
}

void Show::report_pauses(Replay& replay) {
  constexpr std::size_t told_most = 5;
  for (const Replay::Pause& pause : replay.take_pauses()) {
    if (pauses_++ < told_most) {
      say(fmt::format("{}: without a recorder {}", source_.path,
                      describe_pause(pause.from, pause.to, pause.length)));
    }
  }
}

void Show::report(Replay& replay) {
  if (stream_.damaged() > 0) {
    say(fmt::format("{}: {} left out, the first at {}", source_.path,
                    counted(stream_.damaged(), "damaged part is", "damaged parts are"),
                    stream_.first_damage()));
  }
  if (replay.missing() > 0) {
    say(fmt::format("{}: {} batch{} of records missing", source_.path, replay.missing(),
                    replay.missing() == 1 ? " is" : "es are"));
  }
  if (replay.malformed() > 0) {
    say(fmt::format("{}: {} record{} not understood: a newer bpftrap may have written them",
                    source_.path, replay.malformed(), replay.malformed() == 1 ? "" : "s"));
  }
  report_pauses(replay);
  if (!complete_ || source_.is_directory || options_.until_ns) {
    return;
  }
  if (std::uint64_t torn = stream_.torn_bytes(); torn > 0) {
    say(fmt::format("{}: the last {} bytes are incomplete, from byte {} on", source_.path, torn,
                    stream_.done()));
  }
  if (!replay.has_stopped()) {
    say(fmt::format("{}: the recorder did not end, or still runs: up to a second may be missing",
                    source_.path));
  }
}

int Show::report_empty(const Replay& replay) const {
  if (script_ != nullptr && !script_->found()) {
    say(fmt::format("{}: no program of process {}-{}; the recording spans {}", source_.path,
                    options_.script->pid, options_.script->start_ns, span()));
    return could_not_work;
  }
  if (!complete_ || replay.passed() > 0 || cursor_.is_resumed()) {
    return ended_as_asked;
  }
  if (source_.process) {
    say(fmt::format("{}: no process {}-{}; the recording spans {}", source_.path,
                    source_.process->pid, source_.process->start_boot_ns, span()));
    return could_not_work;
  }
  say(fmt::format("{}: no record matches; the recording spans {}", source_.path, span()));
  return ended_as_asked;
}

std::string Show::span() const {
  return describe_span(outline_.last_wall_ns ? outline_ : read_outline(stream_, {}));
}

void Show::say_default() const {
  if (source_.is_default) {
    say(fmt::format("showing {}, {}", source_.path, span()));
  }
}

int Show::run() {
  if (!output_ || exports_.interrupted()) {
    return ended_as_asked;
  }
  say_default();
  begin_ = outline_.begin;
  ReplayOptions replay_with = replay_options();
  replay_with.count = options_.trace.output.count;
  constexpr std::uint64_t followed_from = 10;
  std::optional<std::uint64_t> last = options_.last;
  if (options_.follow && !last && !options_.since_ns && !cursor_.is_used()) {
    last = followed_from;
  }
  if (last) {
    replay_with.skip = skip_to_last(*last);
  }
  std::unique_ptr<Sink> sink = make_sink();
  Replay replay(std::move(replay_with), clock_, users_, *sink);
  if (cursor_.has_position()) {
    begin_ = cursor_.resume(stream_, source_.path, replay);
  }
  stream_.seek(begin_);
  if (options_.follow) {
    follow(replay);
  } else {
    complete_ = read_all(replay, true) && !replay.is_done();
  }
  progress_.clear();
  replay.finish();
  bool is_written = output_->drain(patience_) && !output_->reader_gone();
  output_->close();
  if (options_.trace.exports.empty()) {
    // Listing the files of a directory once more takes a while.
  } else if (complete_) {
    exports_.finish(BatchStream::of(source_.file.get()), source_.path, patience_);
  } else {
    say(exports_.keep_earlier()
            ? "interrupted: new files are incomplete, and earlier ones are unchanged"
            : "interrupted: the files are incomplete");
  }
  if (is_written) {
    cursor_.store();
  }
  report(replay);
  return report_empty(replay);
}

}  // namespace

int show_recording(const ShowOptions& options) {
  ShowOptions shown = options;
  Source source = open_source(options.source, options.of_system);
  refuse_same_file(source, options.trace.output.output);
  refuse_directory(source, options.trace.exports);
  if (source.process || options.script || !options.trace.exports.empty()) {
    // Everything.
    shown.trace.default_events = {
        .execs = true, .failed_execs = true, .forks = true, .exits = true, .every_exit = true};
  }
  return Show(shown, std::move(source)).run();
}

}  // namespace bpftrap
