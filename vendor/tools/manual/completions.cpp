// SPDX-License-Identifier: GPL-2.0-only
#include "completions.h"

namespace bpftrap::manual {

std::string kind_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::none:
      return "none";
    case ValueKind::pid:
      return "pid";
    case ValueKind::user:
      return "user";
    case ValueKind::cgroup:
      return "cgroup";
    case ValueKind::file:
      return "file";
    case ValueKind::directory:
      return "directory";
    case ValueKind::choice:
      return "choice";
    case ValueKind::list:
      return "list";
    case ValueKind::command:
      return "command";
  }
  return "none";
}

std::string kind_names(const std::vector<ValueKind>& kinds) {
  std::vector<std::string> names;
  for (ValueKind kind : kinds) {
    names.push_back(kind_name(kind));
  }
  return join(names, " ");
}

std::string join(const std::vector<std::string>& words, const std::string& separator) {
  std::string joined;
  for (const std::string& word : words) {
    joined += (joined.empty() ? "" : separator) + word;
  }
  return joined;
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace bpftrap::manual
