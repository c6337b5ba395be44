// SPDX-License-Identifier: GPL-2.0-only
// The recording that `show` reads: which one, and what its headers tell.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/export_options.h"
#include "core/os/unique_fd.h"
#include "core/recording/outline.h"
#include "core/text/units.h"

namespace bpftrap {

// The directory of the recorder that the package installs.
inline constexpr const char* system_recording = "/var/lib/bpftrap";

// True if it has records that this user may read.
bool has_system_recording();

struct Source {
  UniqueFd file;  // or directory
  std::string path;
  bool is_directory = false;
  bool is_default = false;
  std::optional<PidOrId> process = {};  // given by its id
};

// `text`: FILE or DIR, or the id of a process of the default recording; empty: the default, which
// is `trace.bpftrap` if that exists and not `of_system`. Throws Error.
Source open_source(const std::string& text, bool of_system = false);

// Throws Error if the output is the recording, because it is emptied first.
void refuse_same_file(const Source& source, const std::string& output);

// Throws Error if a file of the whole run is to be made of a directory. It would need all of it in
// memory, and a directory may be large.
void refuse_directory(const Source& source, const ExportOptions& exports);

// Notices when the recorder writes.
class SourceChanges {
 public:
  // Throws Error.
  explicit SourceChanges(const Source& source);

  // Readable if there are changes.
  int fd() const { return fd_.get(); }
  // Forgets the changes so far. Returns true if one may be of another file of the directory.
  bool has_other_than(std::string_view name);

 private:
  UniqueFd fd_;
};

// True if a table needs dates: the records in the window are of several days, or not of today.
bool needs_dates(const Outline& outline, const Window& window, bool utc);

// Returns `2026-11-17 14:00:00.123 to 2026-11-17 14:05:00.456`.
std::string describe_span(const Outline& outline);

// Returns `from 2026-11-17 14:00:00.123 to 14:00:00.456 (333 ms)`.
std::string describe_pause(WallTime from, WallTime to, std::chrono::nanoseconds length);

// Shows on the terminal of standard error how much is read, if that takes long.
class Progress {
 public:
  // `prints`: the output is a terminal, too, which shows progress by itself.
  void show(std::uint64_t done, std::uint64_t size, bool prints);
  void clear();

 private:
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool shown_ = false;
};

}  // namespace bpftrap
