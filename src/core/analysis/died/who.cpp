// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/who.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace bpftrap {

namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";
constexpr std::size_t container_digits = 12;
constexpr std::size_t container_digits_most = 64;

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

template <std::size_t count>
bool ends_with_any(std::string_view text, const std::array<std::string_view, count>& suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(), [text](std::string_view suffix) {
    return text.size() > suffix.size() && text.ends_with(suffix);
  });
}

bool names_unit(std::string_view text) {
  static constexpr std::array<std::string_view, 5> suffixes = {".service", ".scope", ".socket",
                                                               ".mount", ".swap"};
  return ends_with_any(text, suffixes);
}

// Units to which systemd assigns no processes, or only those of other units.
bool names_empty_unit(std::string_view text) {
  static constexpr std::array<std::string_view, 6> suffixes = {".target",    ".timer", ".path",
                                                               ".automount", ".slice", ".device"};
  return ends_with_any(text, suffixes);
}

Who glob(std::string_view text) {
  if (text.empty()) {
    throw std::invalid_argument("is empty; expected a pid, an id, a unit, a container or a name");
  }
  return {.kind = Who::Kind::name, .text = std::string(text)};
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& letter : lowered) {
    letter = letter >= 'A' && letter <= 'F' ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return lowered;
}

}  // namespace

Who parse_who(std::string_view text) {
  constexpr std::string_view name_prefix = "comm:";
  if (text.starts_with(name_prefix)) {
    return glob(text.substr(name_prefix.size()));
  }
  if (consists_of(text, hex_digits) && text.size() >= container_digits) {
    if (text.size() > container_digits_most) {
      throw std::invalid_argument("is no container id; expected 12 to 64 hex digits");
    }
    return {.kind = Who::Kind::container, .text = lower(text)};
  }
  if (consists_of(text, digits)) {
    return {.kind = Who::Kind::pid, .process = parse_pid_or_id(text)};
  }
  std::size_t dash = text.find('-');
  if (dash != std::string_view::npos && consists_of(text.substr(0, dash), digits) &&
      consists_of(text.substr(dash + 1), digits)) {
    return {.kind = Who::Kind::id, .process = parse_pid_or_id(text)};
  }
  if (names_unit(text)) {
    return {.kind = Who::Kind::unit, .text = std::string(text)};
  }
  if (names_empty_unit(text)) {
    throw std::invalid_argument(
        "is a unit without processes; expected a unit such as NAME.service, or comm:GLOB");
  }
  return glob(text);
}

bool WhoMatcher::matches(const ProcessId& id, Pid local_pid, std::string_view comm) const {
  switch (who_.kind) {
    case Who::Kind::pid:
      // As --pid: the number in the recorder's namespace, or without one the initial one.
      return (local_pid != 0 ? local_pid : id.pid) == who_.process.pid;
    case Who::Kind::id:
      return id == ProcessId{who_.process.pid, who_.process.start_boot_ns};
    case Who::Kind::name:
      return matches_name_(comm);
    case Who::Kind::unit:
    case Who::Kind::container:
      break;
  }
  return false;
}

bool WhoMatcher::matches(const Process& process) const {
  switch (who_.kind) {
    case Who::Kind::unit:
      return process.unit == who_.text;
    case Who::Kind::container:
      return process.container_id && process.container_id->starts_with(who_.text);
    case Who::Kind::pid:
    case Who::Kind::id:
    case Who::Kind::name:
      break;
  }
  return matches(process.id, process.local_pid, process.comm);
}

}  // namespace bpftrap
