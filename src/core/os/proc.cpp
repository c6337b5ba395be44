// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

std::uint64_t* field_of(ProcStat& stat, int number) {
  switch (number) {
    case 4:
      return &stat.parent;
    case 9:
      return &stat.flags;
    case 20:
      return &stat.threads;
    case 22:
      return &stat.start_ticks;
    default:
      return nullptr;
  }
}

bool is_between(std::uint64_t ticks, BootTime from, BootTime to) {
  return to_proc_ticks(from.time_since_epoch()) <= ticks &&
         ticks <= to_proc_ticks(to.time_since_epoch());
}

// Whether /proc shows the start of a new process as the kernel has it. None if no process can
// start.
std::optional<bool> shows_starts_unchanged() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  UniqueFd from(ends[0]);
  UniqueFd into(ends[1]);
  BootTime before = BootClock::now();
  pid_t child = ::fork();
  if (child == 0) {
    std::optional<ProcStat> stat = read_proc_stat("/proc/self");
    char unchanged = stat && is_between(stat->start_ticks, before, BootClock::now()) ? 1 : 0;
    ::_exit(::write(into.get(), &unchanged, 1) == 1 ? 0 : 1);
  }
  into.reset();
  char unchanged = 0;
  ssize_t count = 0;
  do {
    count = ::read(from.get(), &unchanged, 1);
  } while (count < 0 && errno == EINTR);
  if (child > 0) {
    ::waitpid(child, nullptr, 0);
  }
  return count == 1 ? std::optional(unchanged != 0) : std::nullopt;
}

std::chrono::nanoseconds measure_start_offset() {
  std::chrono::nanoseconds offset = BootClock::namespace_offset();
  bool none = offset == std::chrono::nanoseconds::zero() || shows_starts_unchanged() == true;
  return none ? std::chrono::nanoseconds::zero() : offset;
}

}  // namespace

std::uint64_t to_proc_ticks(std::chrono::nanoseconds time) {
  static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return static_cast<std::uint64_t>(time.count()) / (1'000'000'000U / per_second);
}

std::chrono::nanoseconds proc_start_offset() {
  static const std::chrono::nanoseconds offset = measure_start_offset();
  return offset;
}

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  // The name in field 2 may hold anything, so counting begins behind its last parenthesis.
  std::size_t end = text.rfind(')');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(end + 1);
  ProcStat stat;
  std::size_t begin = std::min(text.find('(') + 1, end);
  stat.comm = text.substr(begin, end - begin);
  for (int field = 3; field <= 22; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::size_t length = std::min(rest.find(' '), rest.size());
    if (field == 3) {
      stat.state = rest.empty() ? '\0' : rest.front();
    }
    std::uint64_t* to = field_of(stat, field);
    if (to != nullptr &&
        std::from_chars(rest.data(), rest.data() + length, *to).ec != std::errc()) {
      return std::nullopt;
    }
    rest.remove_prefix(length);
  }
  return stat;
}

std::optional<ProcStat> read_proc_stat(const std::string& directory) {
  std::optional<std::string> text = read_file(directory + "/stat");
  return text ? parse_proc_stat(*text) : std::nullopt;
}

std::optional<pid_t> read_thread_group(const std::string& directory) {
  constexpr std::string_view key = "\nTgid:\t";
  std::string text = read_file(directory + "/status").value_or("");
  std::size_t at = text.find(key);
  pid_t group = 0;
  if (at == std::string::npos ||
      std::from_chars(text.data() + at + key.size(), text.data() + text.size(), group).ec !=
          std::errc()) {
    return std::nullopt;
  }
  return group;
}

ProcWalk::ProcWalk(std::string proc) : proc_(std::move(proc)), dir_(::opendir(proc_.c_str())) {}

bool ProcWalk::next() {
  while (dirent* entry = dir_ ? ::readdir(dir_.get()) : nullptr) {
    std::string_view name = entry->d_name;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid_);
    if (error == std::errc() && end == name.data() + name.size()) {
      return true;
    }
  }
  return false;
}

}  // namespace bpftrap
