// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "core/os/error.h"
#include "core/os/file.h"
#include "core/os/unique_fd.h"
#include "core/recording/event_count.h"
#include "core/recording/outline.h"

namespace bpftrap {

namespace {

// Losses of the directory up to the end of a segment that begins here. Nullopt if its first batch,
// which has the tally of everything before, is damaged.
std::optional<std::uint64_t> lost_up_to(const BatchStream& recording, BatchPosition segment,
                                        bool whole) {
  EventCount count;
  BatchStream stream = recording.again();
  stream.seek(segment);
  bool is_first = true;
  while (std::optional<BatchPlace> place = stream.next()) {
    auto payload = stream.read(*place);
    if (!payload && is_first) {
      return std::nullopt;
    }
    if (payload) {
      for_each_record(*payload, [&count](std::span<const std::byte> record) {
        count.add(record);
        return true;
      });
    }
    is_first = false;
    if (!whole) {
      break;
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
  facts.lost.reset();
  if (outline.segments.empty()) {
    return;
  }
  auto end = lost_up_to(stream, outline.segments.back(), true);
  auto begin = lost_up_to(stream, outline.segments.front(), false);
  if (begin && end && *end >= *begin) {
    facts.lost = *end - *begin;
  }
}

// The device of a file, as /proc/locks has it. fstat() tells another one on btrfs.
std::string lock_device(int fd) {
  std::string info = read_file("/proc/self/fdinfo/" + std::to_string(fd)).value_or("");
  constexpr std::string_view key = "mnt_id:\t";
  std::size_t at = info.find(key);
  if (at == std::string::npos) {
    return "";
  }
  at += key.size();
  // `25 1 254:1 / / rw …`
  std::string begin = "\n" + info.substr(at, info.find('\n', at) - at) + " ";
  std::string mounts = "\n" + read_file("/proc/self/mountinfo").value_or("");
  std::size_t line = mounts.find(begin);
  unsigned major = 0;
  unsigned minor = 0;
  if (line == std::string::npos ||
      std::sscanf(mounts.c_str() + line + begin.size(), "%*u %u:%u", &major, &minor) != 2) {
    return "";
  }
  return fmt::format("{:02x}:{:02x}", major, minor);
}

}  // namespace

bool has_flock(const std::string& locks, const std::string& device, std::uint64_t inode) {
  // `1: FLOCK  ADVISORY  WRITE 4711 fe:01:131074 0 EOF`
  std::string file = " " + device + ":" + std::to_string(inode) + " ";
  for (std::size_t at = 0; at < locks.size();) {
    std::size_t next = locks.find('\n', at);
    std::string line = locks.substr(at, next - at);
    if (line.find(" FLOCK ") != std::string::npos && line.find(file) != std::string::npos) {
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
    std::string locks = read_file("/proc/locks").value_or("");
    facts.runs = has_flock(locks, lock_device(fd.get()), status.st_ino);
  }
  try {
    read_span(std::move(fd), facts);
  } catch (const Error& error) {
    facts.err = error.code().value() != 0 ? error.code().value() : EINVAL;
  }
  return facts;
}

}  // namespace bpftrap
