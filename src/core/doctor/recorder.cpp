// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/os/error.h"
#include "core/os/file.h"
#include "core/os/unique_fd.h"
#include "core/recording/event_count.h"
#include "core/recording/outline.h"

namespace bpftrap {

namespace {

// Losses of the directory up to the end of a segment that begins here.
std::uint64_t lost_up_to(const BatchStream& recording, BatchPosition segment, bool whole) {
  EventCount count;
  BatchStream stream = recording.again();
  stream.seek(segment);
  while (std::optional<BatchPlace> place = stream.next()) {
    if (auto payload = stream.read(*place)) {
      for_each_record(*payload, [&count](std::span<const std::byte> record) {
        count.add(record);
        return true;
      });
    }
    if (!whole) {
      break;  // the first batch has the tally of everything before
    }
  }
  return count.all_lost;
}

void read_span(UniqueFd directory, RecorderFacts& facts) {
  BatchStream stream(std::move(directory), true);
  if (stream.files().empty()) {
    return;
  }
  Outline outline = read_outline(stream, {});
  facts.first_wall_ns = outline.first_wall_ns;
  facts.last_wall_ns = outline.last_wall_ns.value_or(0);
  facts.bytes = outline.size;
  facts.lost = lost_up_to(stream, outline.segments.back(), true) -
               lost_up_to(stream, outline.segments.front(), false);
}

}  // namespace

bool has_flock(const std::string& locks, std::uint64_t inode) {
  // `1: FLOCK  ADVISORY  WRITE 4711 fe:01:131074 0 EOF`
  std::string end = ":" + std::to_string(inode) + " ";
  for (std::size_t at = 0; at < locks.size();) {
    std::size_t next = locks.find('\n', at);
    std::string line = locks.substr(at, next - at);
    if (line.find(" FLOCK ") != std::string::npos && line.find(end) != std::string::npos) {
      return true;
    }
    at = next == std::string::npos ? locks.size() : next + 1;
  }
  return false;
}

std::optional<RecorderFacts> gather_recorder(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  RecorderFacts facts;
  if (!fd) {
    facts.err = errno;
    return facts.err == ENOENT ? std::nullopt : std::optional(facts);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0) {
    facts.runs = has_flock(read_file("/proc/locks").value_or(""), status.st_ino);
  }
  try {
    read_span(std::move(fd), facts);
  } catch (const Error& error) {
    facts.err = error.code().value() != 0 ? error.code().value() : EINVAL;
  }
  return facts;
}

}  // namespace bpftrap
