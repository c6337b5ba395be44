// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/mounts.h"

#include <algorithm>

#include "core/os/file.h"
#include "core/os/split.h"

namespace bpftrap {

namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// fs/seq_file.c mangle_path() writes a space, a tab, a newline, a backslash and # as \ooo.
std::string decode_escapes(std::string_view field) {
  std::string decoded;
  for (std::size_t i = 0; i < field.size(); ++i) {
    std::string_view digits = field.substr(i + 1, 3);
    if (field[i] == '\\' && digits.size() == 3 &&
        std::all_of(digits.begin(), digits.end(), is_octal)) {
      int code = (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
      decoded += static_cast<char>(code);
      i += digits.size();
    } else {
      decoded += field[i];
    }
  }
  return decoded;
}

template <class Wanted>
std::string find_target(const std::vector<Mount>& mounts, Wanted is_wanted) {
  auto found = std::find_if(mounts.begin(), mounts.end(), is_wanted);
  return found != mounts.end() ? found->target : std::string();
}

}  // namespace

bool Mount::has_option(std::string_view option) const {
  return contains(split(options, ','), option);
}

std::vector<Mount> parse_mounts(std::string_view text) {
  std::vector<Mount> mounts;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(line, ' ');  // source, target, type, options, …
    if (fields.size() >= 4) {
      mounts.push_back({decode_escapes(fields[1]), std::string(fields[2]), std::string(fields[3])});
    }
  }
  return mounts;
}

std::string cgroup2_mount(const std::vector<Mount>& mounts) {
  return find_target(mounts, [](const Mount& mount) { return mount.type == "cgroup2"; });
}

std::string cgroup1_mount(const std::vector<Mount>& mounts, std::string_view controller) {
  return find_target(mounts, [&](const Mount& mount) {
    return mount.type == "cgroup" && mount.has_option(controller);
  });
}

std::vector<Mount> read_mounts() {
  return parse_mounts(read_file("/proc/self/mounts").value_or(""));
}

}  // namespace bpftrap
