// SPDX-License-Identifier: GPL-2.0-only
#include "cli/export_options.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "cli/common_options.h"
#include "cli/load_run.h"
#include "cli/recording.h"
#include "cli/trace_options.h"
#include "core/export/compile_commands.h"
#include "core/export/draft.h"
#include "core/export/perfetto.h"
#include "core/os/caller.h"
#include "core/os/error.h"
#include "core/output/output_file.h"
#include "core/recording/reader.h"
#include "core/text/text.h"
#include "core/timeline/timeline.h"
#include "core/trace/replay.h"

namespace bpftrap {

namespace {

// Output that is gathered before it is written.
constexpr std::size_t usual_write = std::size_t{256} << 10;

void take_file(ExportOptions& options, const ExportFormat& format, std::string_view path) {
  if (path.empty() || path == "-") {
    throw std::invalid_argument("is not a file; expected a path");
  }
  for (const ExportOptions::File& file : options.files) {
    if (file.path == path) {
      throw std::invalid_argument(
          fmt::format("is the file of {}, too; expected another one", file.format->option));
    }
  }
  options.files.push_back({&format, std::string(path)});
}

Error refusal(const ExportOptions::File& file, const char* reason) {
  return Error(
      fmt::format("refuse to write to '{}' ({})", terminal_safe(file.path), file.format->option), 0,
      fmt::format("{}: name another file", reason));
}

// The content of the file will be lost.
void refuse_recording(const ExportOptions::File& file) {
  if (is_recording_file(file.path)) {
    throw refusal(file, "it is a recording");
  }
}

// `taken`: the files that are open already, to which this one is added.
void refuse_taken(const ExportOptions::File& file, int fd, const std::string& recording,
                  std::vector<struct stat>& taken) {
  auto same = [](const struct stat& a, const struct stat& b) {
    return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  };
  struct stat own {};
  struct stat other {};
  if (::fstat(fd, &own) != 0) {
    return;
  }
  if (!recording.empty() && ::stat(recording.c_str(), &other) == 0 && same(own, other)) {
    throw refusal(file, "it is the recording");
  }
  for (const struct stat& earlier : taken) {
    if (same(own, earlier)) {
      throw refusal(file, "another option names it, too");
    }
  }
  taken.push_back(own);
}

std::optional<FileOwner> owner_of_exports() {
  std::optional<Caller> caller = calling_user();
  return caller ? std::optional(FileOwner{caller->uid, caller->gid}) : std::nullopt;
}

}  // namespace

std::span<const ExportFormat> export_formats() {
  // One line per format.
  static constexpr std::array formats{
      ExportFormat{"--timeline", "draw the run as an HTML page", nullptr, nullptr, export_timeline},
      ExportFormat{"--perfetto", "write a trace for https://ui.perfetto.dev", nullptr,
                   make_exporter<PerfettoExport>, nullptr},
      ExportFormat{"--compile-commands",
                   "write the commands that compiled each source file, for clangd "
                   "(default compile_commands.json)",
                   "compile_commands.json", make_exporter<CompileCommands>, nullptr},
  };
  return formats;
}

void add_export_options(CLI::App& app, ExportOptions& options) {
  begin_group(app, "Files");
  for (const ExportFormat& format : export_formats()) {
    CLI::Option* option = add_parsed_option(
        app, format.option,
        [&options, &format](std::string_view text) { take_file(options, format, text); },
        format.description, "FILE");
    if (format.default_file != nullptr) {
      option->expected(0, 1);
    }
  }
}

void complete_optional_value(std::string& word) {
  for (const ExportFormat& format : export_formats()) {
    if (format.default_file != nullptr && word == format.option) {
      word.append("=").append(format.default_file);
    }
  }
}

struct Exports::Export {
  const ExportFormat* format;
  std::string path;
  std::unique_ptr<Output> output;
  UniqueFd file = {};                       // if the output is a draft of its content
  std::unique_ptr<Exporter> exporter = {};  // null: the file is made of the whole run
  std::string summary = {};
};

namespace {

// An export is of use as a whole only.
class ExportUnits final : public OutputUnits {
 public:
  explicit ExportUnits(bool is_draft) : is_draft_(is_draft) {}

  std::size_t keep(std::string_view written) override { return written.size(); }
  std::string kept() const override {
    return is_draft_ ? "its earlier content stays" : "it is incomplete";
  }

 private:
  bool is_draft_;
};

}  // namespace

// Passes records on to all exporters.
class Exports::Fan final : public Sink {
 public:
  Fan(std::vector<Export>& exports, std::unique_ptr<Sink> also)
      : exports_(exports), also_(std::move(also)) {}

  void write(const RecordView& record) override {
    for (const Export& one : exports_) {
      if (one.exporter) {
        one.exporter->write(record);
      }
    }
    if (also_) {
      also_->write(record);
    }
  }
  void finish() override {
    for (const Export& one : exports_) {
      if (one.exporter) {
        one.exporter->finish();
      }
    }
    if (also_) {
      also_->finish();
    }
  }

 private:
  std::vector<Export>& exports_;
  std::unique_ptr<Sink> also_;
};

Exports::Exports(const ExportOptions& options, const std::string& recording, int interrupt_fd) {
  std::vector<struct stat> taken;
  std::optional<FileOwner> owner = options.empty() ? std::nullopt : owner_of_exports();
  for (const ExportOptions::File& file : options.files) {
    const char* option = file.format->option;
    refuse_recording(file);
    UniqueFd fd = open_output_file(file.path, {interrupt_fd, {}}, owner, OldContent::keep, option);
    if (!fd) {
      interrupted_ = true;
      return;
    }
    refuse_taken(file, fd.get(), recording, taken);
    UniqueFd draft = open_draft(fd.get());
    if (draft) {
      std::swap(draft, fd);
    }
    Export& opened = exports_.emplace_back();
    opened.format = file.format;
    opened.path = file.path;
    opened.output = std::make_unique<Output>(std::move(fd), file.path, option);
    opened.output->set_units(std::make_unique<ExportUnits>(static_cast<bool>(draft)));
    opened.file = std::move(draft);
  }
}

Exports::~Exports() = default;

bool Exports::keep_earlier() const {
  return std::all_of(exports_.begin(), exports_.end(),
                     [](const Export& one) { return static_cast<bool>(one.file); });
}

std::unique_ptr<Sink> Exports::make_sink(const WallClock& clock, std::unique_ptr<Sink> also) {
  for (Export& one : exports_) {
    [[maybe_unused]] int ignored = ::ftruncate(one.output->fd(), 0);
    if (one.format->make != nullptr) {
      one.exporter = one.format->make({one.output->buffer(), clock});
    }
  }
  return std::make_unique<Fan>(exports_, std::move(also));
}

bool Exports::flush(Patience& patience) {
  for (const Export& one : exports_) {
    if (one.output->waiting() >= usual_write && !one.output->drain(patience)) {
      return false;
    }
  }
  return true;
}

bool Exports::write_run(Export& one, const RecordedRun& run, Patience& patience) {
  bool waits = true;
  one.summary = one.format->write_run(run, [&](std::string_view piece) {
    one.output->buffer() += piece;
    if (one.output->waiting() >= usual_write) {
      waits = waits && one.output->drain(patience);
    }
  });
  return waits;
}

void Exports::finish(BatchStream recording, const std::string& path, Patience& patience) {
  std::optional<LoadedRun> loaded;
  if (std::any_of(exports_.begin(), exports_.end(),
                  [](const Export& one) { return one.format->write_run != nullptr; })) {
    loaded = load_run(std::move(recording), path);
    if (std::uint64_t boots = loaded->run.earlier_boots; boots > 0) {
      say(fmt::format("{}: {} left out of the timeline", path,
                      counted(boots, "earlier boot is", "earlier boots are")));
    }
  }
  for (Export& one : exports_) {
    if (one.format->write_run != nullptr) {
      if (!write_run(one, loaded->run, patience)) {
        return;
      }
    } else {
      one.summary = one.exporter->summary();
    }
    if (!one.output->drain(patience)) {
      return;
    }
    std::string file = terminal_safe(one.path);
    if (one.file) {
      publish_draft(one.output->fd(), one.file.get(),
                    fmt::format("'{}' ({})", file, one.format->option));
    }
    one.output->close();
    say(fmt::format("wrote {}: {}", file, one.summary));
  }
}

void Exports::reopen(int recording) {
  if (exports_.empty()) {
    return;
  }
  std::string path = fmt::format("/proc/self/fd/{}", recording);
  recording_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!recording_) {
    throw Error("cannot read the recording", errno);
  }
}

void Exports::write(const std::string& path, StopSignals& signals) {
  if (exports_.empty()) {
    return;
  }
  Patience patience(signals);
  TraceOptions everything;
  everything.default_events = {
      .execs = true, .failed_execs = true, .forks = true, .exits = true, .every_exit = true};
  ReplayOptions options;
  options.stream = stream_options(everything);
  options.scope = make_scope(everything);
  options.stream.command_line_bytes = std::size_t{16} << 20;
  options.write_unwritten = true;
  WallClock clock = WallClock::recorded();
  Users users{""};
  std::unique_ptr<Sink> sink = make_sink(clock);
  Replay replay(std::move(options), clock, users, *sink);
  RecordingReader reader(recording_.get());
  while (std::optional<BatchPlace> place = reader.next()) {
    replay.begin_batch(place->header);
    if (std::optional<std::span<const std::byte>> payload = reader.read(*place)) {
      for_each_record(*payload, [&replay](std::span<const std::byte> record) {
        replay.take(record);
        return true;
      });
    }
    if (!flush(patience)) {
      return;
    }
  }
  replay.finish();
  // The sandbox forbids to duplicate the descriptor.
  finish(BatchStream(std::move(recording_), false), path, patience);
}

}  // namespace bpftrap
