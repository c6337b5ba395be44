// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <stdexcept>

#include "cli/recording.h"
#include "core/os/error.h"
#include "core/os/messages.h"

namespace bpftrap {

namespace {

// More than 16 GB have. Beyond that, every second one is kept.
constexpr std::size_t segments_most = 4096;

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

UniqueFd open_file(const std::string& path, bool is_default) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file && errno == ENOENT && is_default) {
    throw Error(fmt::format("there is no recording '{}' here", path), 0,
                "make one with `bpftrap record`, or name a FILE");
  }
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    throw Error(fmt::format("cannot read '{}'", path), errno,
                errno == EACCES ? "only its owner and root may read a recording" : "");
  }
  if (S_ISDIR(status.st_mode)) {
    throw Error(fmt::format("cannot read '{}'", path), EISDIR, "name a FILE");
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(fmt::format("cannot read '{}'", path), 0,
                "it is no regular file: write a recording that comes through a pipe to a file "
                "first");
  }
  return file;
}

// Takes the host and the run from the first batches.
void read_run(RecordingReader& reader, const BatchPlace& place, Outline& outline) {
  std::optional<std::span<const std::byte>> payload = reader.read(place);
  if (!payload) {
    return;
  }
  for_each_record(*payload, [&outline](std::span<const std::byte> bytes) {
    Recorded record = decode_recorded(bytes, Machine{});
    if (auto* host = std::get_if<HostRecord>(&record)) {
      outline.host = std::move(*host);
    } else if (const auto* run = std::get_if<RunRecord>(&record)) {
      outline.has_program = run->has_program;
      return false;
    }
    return true;
  });
}

void keep_some(std::vector<std::uint64_t>& segments) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < segments.size(); i += 2) {
    segments[kept++] = segments[i];
  }
  segments.resize(kept);
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

Source open_source(const std::string& text) {
  std::optional<PidOrId> process = parse_id(text);
  if (process && ::access(text.c_str(), F_OK) == 0) {
    process.reset();
  }
  Source source;
  source.is_default = text.empty() || process;
  source.path = source.is_default ? default_recording : text;
  source.process = process;
  source.file = open_file(source.path, source.is_default);
  if (!is_recording(source.file.get())) {
    throw Error(fmt::format("'{}' is no recording", source.path), 0,
                "name a file that `bpftrap record` has written");
  }
  return source;
}

Outline read_outline(RecordingReader& reader, std::optional<std::int64_t> since_ns) {
  Outline outline;
  std::optional<std::uint64_t> begin;
  std::uint64_t segment = 0;
  bool any = false;
  reader.seek(0);
  while (std::optional<BatchPlace> place = reader.next()) {
    const RecordingBatch& header = place->header;
    if (!any) {
      read_run(reader, *place, outline);
    }
    any = true;
    if ((header.flags & batch_begins_segment) != 0) {
      segment = place->position;
      outline.segments.push_back(segment);
      if (outline.segments.size() >= segments_most) {
        keep_some(outline.segments);
      }
    }
    if (header.last_boot_ns == 0) {
      continue;  // no record with a time
    }
    outline.first_wall_ns =
        std::min(outline.first_wall_ns.value_or(INT64_MAX), header.first_wall_ns);
    outline.last_wall_ns = std::max(outline.last_wall_ns.value_or(INT64_MIN), header.last_wall_ns);
    if (since_ns && !begin && header.last_wall_ns >= *since_ns) {
      begin = segment;
    }
  }
  if (!any) {
    throw Error("the recording has no complete records", 0);
  }
  outline.size = reader.size();
  outline.begin = since_ns ? begin.value_or(segment) : 0;
  reader = RecordingReader(reader.fd());
  return outline;
}

bool needs_dates(const Outline& outline, bool utc) {
  if (!outline.first_wall_ns) {
    return false;
  }
  std::tm first = broken_down(*outline.first_wall_ns, utc);
  std::tm last = broken_down(*outline.last_wall_ns, utc);
  std::tm today = broken_down(WallClock().now().ns, utc);
  return !is_same_day(first, last) || !is_same_day(first, today);
}

std::string describe_span(const Outline& outline) {
  if (!outline.first_wall_ns) {
    return "without records";
  }
  TimestampFormatter formatter(TimestampFormatter::Zone::local, true);
  std::string text;
  formatter.append_time_of_day(text, {*outline.first_wall_ns});
  text += " to ";
  formatter.append_time_of_day(text, {*outline.last_wall_ns});
  return text;
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
