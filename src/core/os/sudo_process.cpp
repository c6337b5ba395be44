// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/sudo_process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstddef>
#include <string_view>

#include "core/os/file.h"
#include "core/os/split.h"

namespace bpftrap {

namespace {

// execve() takes three quarters of 8 MiB at most (fs/exec.c bprm_stack_limits()).
constexpr std::size_t environment_most = std::size_t{8} << 20;

using Tool = SudoProcess::Tool;

// Ids of a process.
struct Status {
  pid_t parent = 0;
  uid_t real_uid = 0;
  uid_t effective_uid = 0;
  gid_t real_gid = 0;
  std::vector<gid_t> groups;
};

std::string path_of(const std::string& proc, pid_t pid, const char* file) {
  return proc + "/" + std::to_string(pid) + "/" + file;
}

// The numbers behind `key` of /proc/PID/status.
std::vector<unsigned> numbers_of(std::string_view status, std::string_view key) {
  std::vector<unsigned> numbers;
  std::size_t at = status.find(key);
  if (at == std::string_view::npos) {
    return numbers;
  }
  std::string_view line = status.substr(at + key.size());
  line = line.substr(0, line.find('\n'));
  for (at = line.find_first_of("0123456789"); at != std::string_view::npos;
       at = line.find_first_of("0123456789")) {
    unsigned number = 0;
    const char* end = line.data() + line.size();
    const char* behind = std::from_chars(line.data() + at, end, number).ptr;
    numbers.push_back(number);
    line.remove_prefix(static_cast<std::size_t>(behind - line.data()));
  }
  return numbers;
}

std::optional<Status> read_status(const std::string& proc, pid_t pid) {
  std::optional<std::string> text = read_file(path_of(proc, pid, "status"));
  if (!text) {
    return std::nullopt;
  }
  std::vector<unsigned> parents = numbers_of(*text, "\nPPid:");
  std::vector<unsigned> uids = numbers_of(*text, "\nUid:");
  std::vector<unsigned> gids = numbers_of(*text, "\nGid:");
  if (parents.size() != 1 || uids.size() != 4 || gids.size() != 4) {
    return std::nullopt;
  }
  return Status{static_cast<pid_t>(parents[0]), uids[0], uids[1], gids[0],
                numbers_of(*text, "\nGroups:")};
}

std::optional<std::vector<std::string>> read_strings(const std::string& path) {
  std::optional<std::string> text = read_file(path, environment_most);
  if (!text) {
    return std::nullopt;
  }
  std::vector<std::string_view> strings = split(*text, '\0');
  return std::vector<std::string>(strings.begin(), strings.end());
}

// Distributions call them so if another implementation has the usual name.
std::optional<Tool> tool_named(std::string_view name) {
  if (name == "sudo" || name == "sudo-rs" || name == "sudo.ws") {
    return Tool::sudo;
  }
  return name == "doas" ? std::optional(Tool::doas) : std::nullopt;
}

std::optional<Tool> tool_of(const std::string& proc, pid_t pid) {
  std::string link = path_of(proc, pid, "exe");
  struct stat status {};
  if (::stat(link.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != 0 ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return std::nullopt;
  }
  std::string target(PATH_MAX, '\0');
  ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  target.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return tool_named(std::string_view(target).substr(target.rfind('/') + 1));
}

// With use_pty, sudo is the parent of its monitor: the caller is above both.
std::optional<std::vector<gid_t>> groups_of_caller(const std::string& proc, const Status& sudo,
                                                   Tool tool) {
  pid_t pid = sudo.parent;
  std::optional<Status> above = read_status(proc, pid);
  while (above && above->real_uid == sudo.real_uid) {
    if (tool_of(proc, pid) != tool) {
      return std::move(above->groups);
    }
    pid = above->parent;
    above = read_status(proc, pid);
  }
  return std::nullopt;
}

}  // namespace

std::optional<SudoProcess> sudo_process(pid_t pid, const std::string& proc) {
  std::optional<Tool> tool = tool_of(proc, pid);
  std::optional<Status> status = read_status(proc, pid);
  if (!tool || !status || status->effective_uid != 0) {
    return std::nullopt;
  }
  auto environment = read_strings(path_of(proc, pid, "environ"));
  auto words = read_strings(path_of(proc, pid, "cmdline"));
  auto own_words = read_strings(proc + "/self/cmdline");
  if (!environment || !words || !own_words) {
    return std::nullopt;
  }
  words->resize(words->size() - std::min(words->size(), own_words->size()));
  return SudoProcess{*tool,
                     status->real_uid,
                     status->real_gid,
                     std::move(*environment),
                     std::move(*words),
                     groups_of_caller(proc, *status, *tool)};
}

}  // namespace bpftrap
