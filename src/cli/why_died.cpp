// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap why died`: explains the end of a process.
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <iterator>
#include <optional>
#include <stdexcept>

#include "bpf/scope.h"
#include "cli/common_options.h"
#include "cli/died_machine.h"
#include "cli/name_glob.h"
#include "cli/segments.h"
#include "cli/why.h"
#include "core/analysis/died/report.h"
#include "core/analysis/died/words.h"
#include "core/analysis/run_builder.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/messages.h"
#include "core/os/signals.h"
#include "core/output/json_sink.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

struct WhyDiedOptions {
  std::string who;
  std::optional<Who> parsed;
  bpftrap_globs globs{};
  std::string source;
  std::uint64_t last = 1;
  bool wait = false;
  OutputOptions output;
};

class WhyDied {
 public:
  WhyDied(const WhyDiedOptions& options, Source source)
      : options_(options),
        matcher_(*options.parsed,
                 [this](std::string_view name) { return globs_match(options_.globs, name); }),
        source_(std::move(source)),
        segments_(source_),
        output_(open_output(options.output, signals_.fd())),
        patience_(signals_) {}

  int run();

 private:
  void search();
  bool await_end();
  bool is_awaited(const ExitRecord& exit) const;
  bool await_change(SourceChanges& changes, BatchStream& reader);
  // The living processes whose end will be recorded.
  std::vector<LivingMatch> followed() const;
  int report_nothing();
  // Says what is not known of the recording, in which no end was found if `all`.
  void say_doubts(bool all);
  RecordedRun run_at(BootTime from, BootTime to, const std::string& boot_id);
  void explain(FoundEnd found);
  void explain_signals(Death& death);
  void read_history(Death& death);
  void print(const Death& death, const WallClock& clock);
  void read(const FileSegment& segment, DeathSearch& search);

  const WhyDiedOptions& options_;
  WhoMatcher matcher_;
  Source source_;
  StopSignals signals_;
  Segments segments_;
  std::unique_ptr<Output> output_;
  Patience patience_;
  Progress progress_;
  std::deque<FoundEnd> found_;
  std::vector<LivingMatch> living_;  // at the end of the recording
  RunGaps gaps_;                     // of what was searched
  bool interrupted_ = false;
};

void WhyDied::read(const FileSegment& segment, DeathSearch& search) {
  segments_.read(
      segment, [](const RecordingBatch&) {},
      [&search](std::span<const std::byte> record) { search.take(record); });
}

// From the last segment back, until enough ends are found.
void WhyDied::search() {
  DeathSearch search(matcher_, options_.last);
  const std::vector<FileSegment>& all = segments_.all();
  bool is_unit = matcher_.who().kind == Who::Kind::unit;
  for (std::size_t i = all.size(); i-- > 0;) {
    search.begin_segment();
    read(all[i], search);
    if (i + 1 == all.size()) {
      living_ = search.living();
      gaps_.has_stopped = search.has_stopped();
    }
    std::deque<FoundEnd> ends = search.take_ends();
    found_.insert(found_.begin(), std::make_move_iterator(ends.begin()),
                  std::make_move_iterator(ends.end()));
    if (is_unit) {
      drop_helpers(found_);
    }
    if (found_.size() >= options_.last) {
      break;
    }
    progress_.show(all.size() - i, all.size(), false);
  }
  progress_.clear();
  gaps_.losses = search.gaps().losses;
  gaps_.malformed = search.gaps().malformed;
  gaps_.missing_batches = segments_.missing_batches();
  while (found_.size() > options_.last) {
    found_.pop_front();
  }
}

// Returns false if a signal has come.
bool WhyDied::await_change(SourceChanges& changes, BatchStream& reader) {
  std::array<pollfd, 2> ready{pollfd{changes.fd(), POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0}};
  if (::poll(ready.data(), ready.size(), -1) < 0 || ready[1].revents != 0) {
    interrupted_ = true;
    return false;
  }
  reader.expect_files(changes.has_other_than(reader.name()));
  return true;
}

// Passes on what was added to the recording. Returns false if the recorder has ended.
bool read_new(BatchStream& reader, DeathSearch& search) {
  while (std::optional<BatchPlace> place = reader.next()) {
    if (std::optional<std::span<const std::byte>> payload = reader.read(*place)) {
      for_each_record(*payload, [&search](std::span<const std::byte> record) {
        search.take(record);
        return true;
      });
    }
  }
  return !search.has_stopped();
}

bool WhyDied::is_awaited(const ExitRecord& exit) const {
  // There is no earlier end if it waits for processes that are not followed: see run().
  const ProcessId& id = exit.process.id;
  return followed().empty() ||
         std::any_of(living_.begin(), living_.end(), [&id](const LivingMatch& living) {
           // /proc told the tick only.
           return living.id.pid == id.pid &&
                  living.id.start_ns / BPFTRAP_TICK_NS == id.start_ns / BPFTRAP_TICK_NS;
         });
}

// Waits for the end of one of the processes that live. Returns false if a signal has come, or if
// the recorder has ended.
bool WhyDied::await_end() {
  SourceChanges changes(source_);
  BatchStream reader = BatchStream::of(source_.file.get());
  reader.seek(segments_.all().back().begin);
  DeathSearch search(matcher_);
  bool live = true;
  do {
    live = read_new(reader, search);
    for (FoundEnd& end : search.take_ends()) {
      if (is_awaited(end.exit.record())) {
        found_.clear();
        found_.push_back(std::move(end));
        segments_.refresh();
        living_ = search.living();
        return true;
      }
    }
  } while (live && await_change(changes, reader));
  segments_.refresh();
  living_ = search.living();
  gaps_.has_stopped = search.has_stopped();
  return false;
}

std::vector<LivingMatch> WhyDied::followed() const {
  std::vector<LivingMatch> found;
  std::copy_if(living_.begin(), living_.end(), std::back_inserter(found),
               [](const LivingMatch& living) { return living.followed; });
  return found;
}

void WhyDied::say_doubts(bool all) {
  RunGaps gaps = gaps_;
  if (!all) {
    // The answer tells of losses near the end. A later end is none of it.
    gaps.losses.clear();
    gaps.has_stopped = true;
  }
  for (const std::string& doubt : doubts_about(segments_.damage(), gaps)) {
    say(fmt::format("{}: {}; {} may be missing", source_.path, doubt,
                    all ? "its end" : "later ends, senders and children"));
  }
}

int WhyDied::report_nothing() {
  std::string span = segments_.span();
  // Those whose end would be recorded say more.
  std::stable_partition(living_.begin(), living_.end(),
                        [](const LivingMatch& living) { return living.followed; });
  std::string names;
  if (!living_.empty()) {
    const LivingMatch& first = living_.front();
    names = process_label(first.comm, first.local_pid != 0 ? first.local_pid : first.id.pid);
    names += living_.size() > 1 ? fmt::format(", and {} more", living_.size() - 1) : "";
  }
  if (!living_.empty() && living_.front().followed) {
    say(fmt::format("{}: {} still ran at the end of the recording, which spans {}", source_.path,
                    names, span));
  } else {
    say(fmt::format(
        "{}: no end of '{}'{}; the recording spans {}", source_.path, options_.who,
        names.empty() ? "" : ": filters may have left out " + names + ", older than the recording",
        span));
  }
  say_doubts(true);
  return could_not_work;
}

// The records around these times: of the segments that have them.
RecordedRun WhyDied::run_at(BootTime from, BootTime to, const std::string& boot_id) {
  RunBuilder builder;
  builder.keep_state_of(to);
  // Losses are told a second later, and a PATH search may go on.
  to += std::chrono::seconds(2);
  auto ns = [](BootTime time) {
    return static_cast<std::uint64_t>(
        std::max<nanoseconds::rep>(time.time_since_epoch().count(), 0));
  };
  const std::vector<FileSegment>& all = segments_.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool is_last = i + 1 == all.size() || all[i + 1].boot_id != boot_id;
    bool ends_before =
        !is_last && all[i + 1].first_boot_ns != 0 && all[i + 1].first_boot_ns <= ns(from);
    if (all[i].boot_id == boot_id && !ends_before && all[i].first_boot_ns <= ns(to)) {
      segments_.read(
          all[i], [&builder](const RecordingBatch& batch) { builder.begin_batch(batch); },
          [&builder](std::span<const std::byte> record) { builder.take(record); });
    }
  }
  return builder.finish();
}

void WhyDied::explain_signals(Death& death) {
  const ExitRecord& exit = death.exit();
  if (!ended_after_signal(exit)) {
    return;
  }
  BootTime sent = exit.time - exit.last_signal->age;
  RecordedRun run = run_at(sent, sent, death.end.boot_id);
  // Those near the end are counted already.
  death.lost += run.lost(sent, sent) - run.lost(std::max(sent, exit.time - failures_before), sent);
  death.last = explain_signal(exit.last_signal->sender, exit.last_signal->signal, sent, exit, run);
}

void WhyDied::read_history(Death& death) {
  RecentEnds recent(death.exit());
  auto since = static_cast<std::uint64_t>(
      std::max<nanoseconds::rep>(recent.since().time_since_epoch().count(), 0));
  auto until = static_cast<std::uint64_t>(death.exit().time.time_since_epoch().count());
  for (const FileSegment& segment : segments_.all()) {
    if (segment.boot_id == death.end.boot_id && segment.last_boot_ns >= since &&
        segment.first_boot_ns <= until) {
      recent.begin_segment();
      segments_.read(
          segment, [](const RecordingBatch&) {},
          [&recent](std::span<const std::byte> record) { recent.take(record); });
    }
  }
  death.recent = recent.finish();
  death.history = judge_history(death.exit(), death.recent, recent.lost());
}

void WhyDied::print(const Death& death, const WallClock& clock) {
  if (options_.output.format != nullptr) {
    SinkSetup setup{output_->buffer(), clock};
    make_sink(options_.output, setup, nullptr)->write(death_record(death));
    if (death.lost > 0) {
      say(lost_text(death.lost));
    }
    return;
  }
  DeathSurroundings around;
  if (is_this_boot(death.end.boot_id)) {
    around = read_surroundings(death.exit());
  }
  DeathLook look{.color = wants_color(options_.output, *output_)};
  look.columns = output_->terminal() ? output_->terminal_columns() : 0;
  std::string& out = output_->buffer();
  out += out.empty() ? "" : "\n\n";
  // The number of a process may be used again by any other one.
  bool is_number = matcher_.who().kind == Who::Kind::pid;
  DeathAfterwards afterwards{is_number ? std::vector<LivingMatch>() : followed()};
  out += death_report(death, around, afterwards, clock, look);
}

void WhyDied::explain(FoundEnd found) {
  Death death{.end = std::move(found)};
  BootTime time = death.exit().time;
  RecordedRun run = run_at(time - failures_before, time, death.end.boot_id);
  explain_end(death, run);
  const ExitRecord& exit = death.exit();
  if (exit.killer) {
    death.killer = explain_signal(*exit.killer, WTERMSIG(exit.wait_status), time, exit, run);
  }
  explain_signals(death);
  read_history(death);
  print(death, run.clock);
}

int WhyDied::run() {
  if (!output_) {
    return ended_as_asked;
  }
  if (source_.is_default) {
    say(fmt::format("reading {}, {}", source_.path, segments_.span()));
  }
  search();
  bool ended = !found_.empty();
  // An end may never be told of one that is not followed: do not prefer it to an end.
  if (options_.wait && !(ended ? followed() : living_).empty()) {
    ended = await_end();
    if (!ended && interrupted_) {
      return ended_as_asked;
    }
  }
  if (!ended) {
    return report_nothing();
  }
  for (FoundEnd& found : found_) {
    explain(std::move(found));
  }
  say_doubts(false);
  output_->drain(patience_);
  output_->close();
  return ended_as_asked;
}

// Throws CLI::ValidationError.
void parse(WhyDiedOptions& options) {
  try {
    options.parsed = parse_who(options.who);
    if (options.parsed->kind == Who::Kind::name) {
      options.globs = compile_globs({options.parsed->text});
    }
  } catch (const std::invalid_argument& error) {
    refuse_usage(fmt::format("WHO: '{}' {}", options.who, error.what()));
  }
}

}  // namespace

Run setup_why_died(CLI::App& app) {
  auto options = std::make_shared<WhyDiedOptions>();
  app.add_option("WHO", options->who,
                 "the process: a pid, an id, a unit such as NAME.service, 12 or more hex digits of "
                 "a container, or a glob for its name (also comm:GLOB)")
      ->required();
  app.add_option("FILE|DIR", options->source,
                 "the recording (default: the recorder's directory, else trace.bpftrap)")
      ->check(&refuse_empty_path);
  add_parsed_option(
      app, "--last", [options](std::string_view text) { options->last = parse_count(text); },
      "explain the last N ends (default 1)", "N");
  add_switch(app, "--wait", options->wait, "if it still runs, wait for its end");
  begin_group(app, "Output");
  add_format_options(app, options->output);
  add_color_option(app, options->output);
  app.parse_complete_callback([options] { parse(*options); });
  set_examples(app,
               "  bpftrap why died 4711                  the process with this pid\n"
               "  bpftrap why died nginx.service         the main process of a unit\n"
               "  bpftrap why died 'work*' --last 3      the last three with such a name\n"
               "  bpftrap why died worker --wait         wait for its end");
  return [options] {
    bool of_system = options->source.empty() && has_system_recording();
    return WhyDied(*options, open_source(options->source, of_system)).run();
  };
}

}  // namespace bpftrap
