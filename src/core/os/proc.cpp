// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/os/file.h"

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

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  // The name in field 2 may hold anything, so counting begins behind its last parenthesis.
  std::size_t end = text.rfind(')');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(end + 1);
  ProcStat stat;
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
