// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_names.h"

#include <algorithm>
#include <array>

namespace bpftrap {

namespace {

constexpr std::size_t id_size = 64;
constexpr std::size_t unit_size_most = 255;  // UNIT_NAME_MAX of systemd

// Removes the last name of `path`. Returns it, or an empty string at the root.
std::string_view take_last(std::string_view& path) {
  std::size_t slash = path.rfind('/');
  std::string_view name = path.substr(slash + 1);
  path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  return name;
}

// systemd puts `_` before a name that could be one of the kernel's files, and before `_`.
std::string_view without_escape(std::string_view name) {
  return name.starts_with('_') ? name.substr(1) : name;
}

bool is_unit_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

bool is_unit(std::string_view name) {
  static constexpr std::array<std::string_view, 5> types{".service", ".scope", ".socket", ".mount",
                                                         ".swap"};
  bool typed = std::any_of(types.begin(), types.end(), [name](std::string_view type) {
    return name.size() > type.size() && name.ends_with(type);
  });
  return typed && name.size() <= unit_size_most &&
         std::all_of(name.begin(), name.end(), is_unit_character) && name.front() != '@';
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

std::optional<std::string_view> container_of_name(std::string_view name) {
  constexpr std::string_view scope = ".scope";
  if (name.ends_with(scope)) {
    name.remove_suffix(scope.size());
  }
  if (name.size() < id_size) {
    return std::nullopt;
  }
  std::string_view id = name.substr(name.size() - id_size);
  std::string_view prefix = name.substr(0, name.size() - id_size);
  bool separated = prefix.empty() || prefix.ends_with('-') || prefix.ends_with(':');
  bool supervisor = prefix.ends_with("conmon-");
  return separated && !supervisor && std::all_of(id.begin(), id.end(), is_hex_digit)
             ? std::optional(id)
             : std::nullopt;
}

}  // namespace

std::optional<std::string_view> unit_of_cgroup(std::string_view path) {
  while (!path.empty()) {
    std::string_view name = without_escape(take_last(path));
    if (is_unit(name)) {
      return name;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> container_of_cgroup(std::string_view path) {
  while (!path.empty()) {
    if (std::optional<std::string_view> id = container_of_name(take_last(path))) {
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace bpftrap
