// SPDX-License-Identifier: GPL-2.0-only
// /etc/passwd and /etc/group, read by fgetpwent() and fgetgrent(). A static program has no NSS
// (LDAP, systemd-homed …), because NSS loads shared libraries of the right glibc.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace bpftrap {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using AccountFile = std::unique_ptr<std::FILE, CloseFile>;

// Null if the file cannot be read.
inline AccountFile open_account_file(const std::string& path) {
  return AccountFile(std::fopen(path.c_str(), "re"));
}

// Whether a name is an instruction to ask NIS (`+::::::`, `-user`, `+group`). glibc returns such a
// line as an entry with id 0.
inline bool is_nis_line(std::string_view name) {
  return name.starts_with('+') || name.starts_with('-');
}

// A user or group id in decimal. None for 2^32 - 1: setresuid(2) takes that as "leave unchanged".
inline std::optional<std::uint32_t> parse_account_id(std::string_view text) {
  std::uint32_t id = 0;
  const char* end = text.data() + text.size();
  auto [parsed, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || parsed != end || id == std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return id;
}

}  // namespace bpftrap
