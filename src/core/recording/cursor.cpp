// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/cursor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "core/os/error.h"
#include "core/os/file.h"
#include "core/recording/event_count.h"

namespace bpftrap {

namespace {

constexpr std::string_view beginning = "bpftrap cursor 1:";
constexpr std::size_t file_most = 4096;

// Removes ` NAME=NUMBER` from the front of the text.
std::optional<std::uint64_t> take_number(std::string_view& text, std::string_view name, int base) {
  if (!text.starts_with(' ') || !text.substr(1).starts_with(name) ||
      !text.substr(1 + name.size()).starts_with('=')) {
    return std::nullopt;
  }
  const char* begin = text.data() + name.size() + 2;
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(begin, text.data() + text.size(), number, base);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::string directory_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string encode(const Cursor& cursor) {
  std::string text =
      fmt::format("{} run={:x} sequence={} file={} offset={} records={}", beginning, cursor.run,
                  cursor.sequence, cursor.batch.file_number, cursor.batch.offset, cursor.records);
  if (cursor.events) {
    text += fmt::format(" events={}", *cursor.events);
  }
  return text + '\n';
}

std::optional<Cursor> parse_cursor(std::string_view text) {
  if (!text.starts_with(beginning)) {
    return std::nullopt;
  }
  text.remove_prefix(beginning.size());
  auto run = take_number(text, "run", 16);
  auto sequence = take_number(text, "sequence", 10);
  auto file = take_number(text, "file", 10);
  auto offset = take_number(text, "offset", 10);
  auto records = take_number(text, "records", 10);
  auto events = take_number(text, "events", 10);
  constexpr std::uint64_t offset_most = std::uint64_t{1} << 62;
  if (!run || !sequence || !file || !offset || !records || *file > UINT32_MAX ||
      *offset > offset_most || text != "\n") {
    return std::nullopt;
  }
  return Cursor{*run, *sequence, {static_cast<std::uint32_t>(*file), *offset}, *records, events};
}

bool is_valid(const Cursor& cursor, const BatchStream& recording) {
  BatchStream stream = recording.again();
  stream.seek(cursor.batch);
  std::optional<BatchPlace> place = stream.next();
  return place && position_of(*place) == cursor.batch && place->header.run == cursor.run &&
         place->header.sequence == cursor.sequence;
}

std::optional<Cursor> last_read(const Cursor& cursor, const BatchStream& recording) {
  if (is_valid(cursor, recording)) {
    return cursor;
  }
  std::optional<Cursor> last;
  BatchStream stream = recording.again();
  auto scan = [&](std::uint32_t file_number) {
    stream.seek({file_number, 0});
    while (std::optional<BatchPlace> place = stream.next()) {
      const RecordingBatch& header = place->header;
      if (stream.is_directory() && header.file_number != file_number) {
        return;
      }
      if (header.run == cursor.run && header.sequence <= cursor.sequence) {
        last = Cursor{header.run, header.sequence, position_of(*place), UINT64_MAX, {}};
      }
    }
  };
  if (!stream.is_directory()) {
    scan(0);
    return last;
  }
  const std::vector<SegmentFile> files = stream.files();
  if (files.empty() || files.front().first.file_number > cursor.batch.file_number) {
    return std::nullopt;
  }
  for (std::size_t i = files.size(); i > 0 && !last; --i) {
    if (std::uint32_t number = files[i - 1].first.file_number; number <= cursor.batch.file_number) {
      scan(number);
    }
  }
  return last;
}

std::uint64_t events_behind(const Cursor& cursor, const BatchStream& recording) {
  BatchStream stream = recording.again();
  stream.seek(cursor.batch);
  EventCount count;
  while (std::optional<BatchPlace> place = stream.next()) {
    bool is_first = position_of(*place) == cursor.batch;
    std::uint64_t records = 0;
    if (std::optional<std::span<const std::byte>> payload = stream.read(*place)) {
      for_each_record(*payload, [&](std::span<const std::byte> record) {
        if (!is_first || records++ >= cursor.records) {
          count.add(record);
        }
        return true;
      });
    }
  }
  return events_of(count.events);
}

namespace {

// Returns the path of the file itself if `path` is a link, whose file is replaced.
std::string follow_link(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) {
    return path;
  }
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    throw Error(fmt::format("cannot read '{}' (--cursor-file)", path), errno);
  }
  std::string target = resolved;
  std::free(resolved);
  return target;
}

}  // namespace

CursorFile::CursorFile(const std::string& path) : path_(follow_link(path)) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(fmt::format("'{}' (--cursor-file) is no regular file", path_), 0,
                "name another file");
  }
  if (::access(directory_of(path_).c_str(), W_OK) != 0) {
    throw Error(fmt::format("cannot write '{}' (--cursor-file)", path_), errno);
  }
  std::optional<std::string> text = read_file(path_, file_most);
  if (!text && errno != ENOENT) {
    throw Error(fmt::format("cannot read '{}' (--cursor-file)", path_), errno);
  }
  if (text && !text->empty()) {
    stored_ = parse_cursor(*text);
    if (!stored_) {
      throw Error(fmt::format("'{}' (--cursor-file) is no cursor", path_), 0,
                  "remove it to begin anew");
    }
  }
}

void CursorFile::store(const Cursor& cursor) {
  if (stored_ == cursor) {
    return;
  }
  std::string next = fmt::format("{}.{}.tmp", path_, ::getpid());
  ::unlink(next.c_str());
  UniqueFd file(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  std::string text = encode(cursor);
  bool is_written =
      file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fdatasync(file.get()) == 0 && ::rename(next.c_str(), path_.c_str()) == 0;
  if (!is_written) {
    int err = errno;
    ::unlink(next.c_str());
    throw Error(fmt::format("cannot write '{}' (--cursor-file)", path_), err);
  }
  stored_ = cursor;
}

}  // namespace bpftrap
