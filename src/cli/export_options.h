// SPDX-License-Identifier: GPL-2.0-only
// The files that `record` and `show` make of a recording, instead of a list of its records.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/run.h"
#include "core/export/exporter.h"
#include "core/os/signals.h"
#include "core/os/unique_fd.h"
#include "core/output/output.h"
#include "core/output/patience.h"
#include "core/record/record.h"
#include "core/recording/batch_stream.h"

namespace CLI {
class App;
}  // namespace CLI

namespace bpftrap {

// Writes a file in pieces. Returns what it contains, such as `27 processes`.
using WriteRun = std::string (*)(const RecordedRun& run,
                                 const std::function<void(std::string_view)>& write);

struct ExportFormat {
  const char* option;
  const char* description;
  const char* default_file;  // null: the option needs a value
  MakeExporter make;         // of the records that filters let pass, or
  WriteRun write_run;        // of the whole run
};

std::span<const ExportFormat> export_formats();

struct ExportOptions {
  struct File {
    const ExportFormat* format;
    std::string path;
  };
  std::vector<File> files;

  bool empty() const { return files.empty(); }
};

// Adds one option per format.
void add_export_options(CLI::App& app, ExportOptions& options);

// Inserts the default value of an option that takes its value after `=` only. CLI11 would take the
// next word.
void complete_optional_value(std::string& word);

// The open files, and the exporters that make their content.
class Exports {
 public:
  // Opens the files. Their earlier content stays until they are complete, see keep_earlier(). A
  // file that is created has mode 0600, and belongs to the user who called sudo. `recording`: the
  // path of one that is to be written. Refuses recordings, and one file for two purposes.
  // `interrupt_fd` ends the wait for the reader of a FIFO. Throws Error.
  Exports(const ExportOptions& options, const std::string& recording, int interrupt_fd);
  ~Exports();
  // True if what the files had stays when the export ends before it is complete. Some file systems
  // cannot do that (O_TMPFILE).
  bool keep_earlier() const;
  // True if the wait for a reader has ended so.
  bool interrupted() const { return interrupted_; }

  // Returns a sink that passes each record to all exporters, and to `also`. This object must
  // outlive it.
  std::unique_ptr<Sink> make_sink(const WallClock& clock, std::unique_ptr<Sink> also = nullptr);

  // Opens a recording again that is still being written, because the sandbox forbids that later.
  void reopen(int recording);
  // Reads it, named `path` in messages, and writes all files. Throws Error.
  void write(const std::string& path, StopSignals& signals);

  // Writes what the exporters have made so far. Returns false if the patience ends. Throws Error.
  bool flush(Patience& patience);
  // Completes the files and prints a line for each. `recording` is what they are made of, named
  // `path` in messages.
  void finish(BatchStream recording, const std::string& path, Patience& patience);

 private:
  struct Export;
  class Fan;

  // Returns false if the patience ended.
  static bool write_run(Export& one, const RecordedRun& run, Patience& patience);

  std::vector<Export> exports_;
  bool interrupted_ = false;
  UniqueFd recording_;  // of reopen()
};

}  // namespace bpftrap
