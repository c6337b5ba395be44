// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "cli/recording.h"
#include "core/os/error.h"
#include "core/os/messages.h"
#include "core/os/users.h"
#include "core/recording/segment_files.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

std::optional<PidOrId> parse_id(const std::string& text) {
  if (text.find('-') == std::string::npos ||
      text.find_first_not_of("0123456789-") != std::string::npos) {
    return std::nullopt;
  }
  try {
    return parse_pid_or_id(text);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

// Names those who may read a file or directory.
std::string describe_readers(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return "only its owner and root may read a recording";
  }
  Users users;
  std::string owner = users.knows(status.st_uid) ? std::string(users.name(status.st_uid))
                                                 : fmt::format("user {}", status.st_uid);
  std::string readers = status.st_uid == 0 ? "root" : fmt::format("{} and root", owner);
  if ((status.st_mode & S_IRGRP) == 0) {
    return fmt::format("only {} may read it", readers);
  }
  std::string group = group_name(status.st_gid);
  return fmt::format(
      "only {} and members of the group {} may read it: try sudo, or "
      "`sudo adduser $USER {}`",
      readers, group, group);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// Files may be closed to a user who may list their directory.
void refuse_unreadable_files(const Source& source) {
  for (const std::string& name : names_in(source.file.get())) {
    if (segment_file_index(name) &&
        ::faccessat(source.file.get(), name.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES) {
      std::string file = source.path + "/" + name;
      throw Error(fmt::format("cannot read '{}'", file), EACCES, describe_readers(file));
    }
  }
}

void open_place(Source& source) {
  const std::string& path = source.path;
  source.file = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!source.file && errno == ENOENT && source.is_default) {
    bool is_here = path == default_recording;
    throw Error(fmt::format("there is no recording '{}'{}", path, is_here ? " here" : ""), 0,
                is_here ? "make one with `bpftrap record`, or name a FILE"
                        : "start the recorder with `systemctl enable --now bpftrap`, or name a "
                          "DIR of `bpftrap record --dir`");
  }
  struct stat status {};
  if (!source.file || ::fstat(source.file.get(), &status) != 0) {
    const int error = errno;
    throw Error(fmt::format("cannot read '{}'", path), error,
                error == EACCES ? describe_readers(path) : "");
  }
  source.is_directory = S_ISDIR(status.st_mode);
  if (!source.is_directory && !S_ISREG(status.st_mode)) {
    throw Error(fmt::format("cannot read '{}'", path), 0,
                "it is no regular file: write a recording that comes through a pipe to a file "
                "first");
  }
  if (source.is_directory) {
    refuse_unreadable_files(source);
  }
}

std::tm broken_down(std::int64_t wall_ns, bool utc) {
  std::time_t second = wall_ns / 1'000'000'000;
  std::tm day{};
  utc ? ::gmtime_r(&second, &day) : ::localtime_r(&second, &day);
  return day;
}

bool is_same_day(const std::tm& one, const std::tm& other) {
  return one.tm_year == other.tm_year && one.tm_yday == other.tm_yday;
}

}  // namespace

bool has_system_recording() {
  UniqueFd directory(::open(system_recording, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  try {
    return directory && !list_segment_files(directory.get()).empty();
  } catch (const Error&) {
    return false;
  }
}

Source open_source(const std::string& text, bool of_system) {
  std::optional<PidOrId> process = parse_id(text);
  if (process && exists(text)) {
    process.reset();
  }
  Source source;
  source.is_default = text.empty() || process;
  source.path = text;
  if (source.is_default) {
    // If its records are only unreadable, the message says who may read them.
    bool is_forbidden = ::access(system_recording, R_OK) != 0 && errno == EACCES;
    of_system =
        of_system || (!exists(default_recording) && (is_forbidden || has_system_recording()));
    source.path = of_system ? system_recording : default_recording;
  }
  source.process = process;
  open_place(source);
  if (!source.is_directory && !is_recording(source.file.get())) {
    throw Error(fmt::format("'{}' is no recording", source.path), 0,
                "name a file that `bpftrap record` has written");
  }
  return source;
}

void refuse_same_file(const Source& source, const std::string& output) {
  struct stat in {};
  struct stat out {};
  if (!output.empty() && ::stat(output.c_str(), &out) == 0 &&
      ::fstat(source.file.get(), &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
    throw Error(fmt::format("refuse to write to '{}' (--output)", output), 0,
                "it is the recording: name another file");
  }
}

void refuse_directory(const Source& source, const ExportOptions& exports) {
  for (const ExportOptions::File& file : exports.files) {
    if (source.is_directory && file.format->write_run != nullptr) {
      throw Error(fmt::format("'{}' is a directory ({})", source.path, file.format->option), 0,
                  "name a FILE that `bpftrap record -o FILE` has written");
    }
  }
}

SourceChanges::SourceChanges(const Source& source)
    : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  std::string path = fmt::format("/proc/self/fd/{}", source.file.get());
  if (!fd_ || ::inotify_add_watch(fd_.get(), path.c_str(), IN_MODIFY) < 0) {
    throw Error(fmt::format("cannot watch '{}'", source.path), errno);
  }
}

bool SourceChanges::has_other_than(std::string_view name) {
  bool has_other = false;
  alignas(inotify_event) std::array<char, 4096> bytes;
  ssize_t size = 0;
  while ((size = ::read(fd_.get(), bytes.data(), bytes.size())) > 0) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      at += sizeof event;
      // The name is padded with zero bytes. It is empty if changes were lost.
      bool is_same = event.len > 0 && bytes.data() + at == name;
      has_other = has_other || !is_same;
      at += event.len;
    }
  }
  return has_other;
}

bool needs_dates(const Outline& outline, const Window& window, bool utc) {
  if (!outline.last_wall_ns) {
    return false;
  }
  std::int64_t begin = std::max(*outline.first_wall_ns, window.since_ns.value_or(INT64_MIN));
  std::int64_t end = std::min(*outline.last_wall_ns, window.until_ns.value_or(INT64_MAX));
  std::tm first = broken_down(begin, utc);
  std::tm last = broken_down(end, utc);
  std::tm today = broken_down(WallClock().now().ns, utc);
  return !is_same_day(first, last) || !is_same_day(first, today);
}

std::string describe_span(const Outline& outline) {
  if (!outline.last_wall_ns) {
    return "without records";
  }
  TimestampFormatter formatter(TimestampFormatter::Zone::local, true);
  std::string text;
  formatter.append_time_of_day(text, {*outline.first_wall_ns});
  text += " to ";
  formatter.append_time_of_day(text, {*outline.last_wall_ns});
  return text;
}

std::string describe_pause(WallTime from, WallTime to, std::chrono::nanoseconds length) {
  TimestampFormatter formatter(TimestampFormatter::Zone::local, true);
  std::string text = "from ";
  formatter.append_time_of_day(text, from);
  text += " to ";
  formatter.append_time_of_day(text, to);
  text += " (";
  append_human_duration(text, length);
  return text + ")";
}

void Progress::show(std::uint64_t done, std::uint64_t size, bool prints) {
  auto now = std::chrono::steady_clock::now();
  if (now < next_ || prints || ::isatty(STDERR_FILENO) != 1) {
    return;
  }
  next_ = now + std::chrono::milliseconds(200);
  write_message(fmt::format("\rbpftrap: {} % read", size > 0 ? 100 * done / size : 100));
  shown_ = true;
}

void Progress::clear() {
  if (shown_) {
    write_message("\r                    \r");
    shown_ = false;
  }
}

}  // namespace bpftrap
