// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/program_title.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/analysis/command_label.h"
#include "core/os/split.h"

namespace bpftrap {

namespace {

bool is_interpreter(std::string_view name) {
  static constexpr std::array<std::string_view, 5> names = {"busybox", "perl", "ruby", "node",
                                                            "php"};
  return is_shell(name) || name.starts_with("python") ||
         std::find(names.begin(), names.end(), name) != names.end();
}

bool runs_command(const std::vector<std::string_view>& words) {
  if (words.empty() || !is_shell(program_name(words[0]))) {
    return false;
  }
  for (std::size_t i = 1; i < words.size() && words[i].starts_with('-'); ++i) {
    if (!words[i].starts_with("--") && words[i].find('c') != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

// The script among the arguments of an interpreter; empty if there is none, as with -c.
std::string_view script_in(const std::vector<std::string_view>& words) {
  if (runs_command(words)) {
    return {};
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    bool is_option = words[i].starts_with('-') && words[i] != "-";
    bool is_applet = i == 1 && program_name(words[0]) == "busybox";
    if (words[i] == "-c" || words[i] == "-e" || words[i] == "-m") {
      return {};
    }
    if (!is_option && !is_applet) {
      return words[i];
    }
  }
  return {};
}

}  // namespace

bool is_shell(std::string_view name) {
  static constexpr std::array<std::string_view, 9> names = {"sh",   "bash", "dash", "ash", "ksh",
                                                            "mksh", "zsh",  "fish", "csh"};
  name.remove_prefix(name.starts_with('-') ? 1 : 0);  // a login shell
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool runs_command(std::string_view args) {
  return runs_command(split(args, '\0'));
}

std::string program_title(std::string_view args, std::string_view filename, bool is_script,
                          std::string_view comm) {
  if (is_script && !filename.empty()) {
    return std::string(program_name(filename));
  }
  std::string_view name = program_name(args);
  if (name.empty()) {
    return std::string(comm);
  }
  // A login shell is called -bash.
  name.remove_prefix(name.starts_with('-') && name.size() > 1 ? 1 : 0);
  if (is_interpreter(name)) {
    std::string_view script = script_in(split(args, '\0'));
    return std::string(script.empty() ? name : program_name(script));
  }
  return std::string(name);
}

}  // namespace bpftrap
