// SPDX-License-Identifier: GPL-2.0-only
// User names and ids of a passwd file (see users.h).
#include "core/os/users.h"

#include <pwd.h>

#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <system_error>

namespace bpftrap {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// setreuid(2) takes it for «leave unchanged».
constexpr uid_t kNoUid = std::numeric_limits<uid_t>::max();

}  // namespace

Users::Users(const std::string& passwd_path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(passwd_path.c_str(), "re"));
  if (!file) {
    return;
  }
  while (const passwd* entry = fgetpwent(file.get())) {
    const std::string_view name = entry->pw_name;
    // `+::::::` and `-user` tell NSS «compat» to ask NIS; glibc hands them out as users with id 0.
    if (name.empty() || name.starts_with('+') || name.starts_with('-')) {
      continue;
    }
    // emplace: of two lines for one name or one id the first counts, as for getpwnam(3).
    ids_.emplace(name, entry->pw_uid);
    names_.emplace(entry->pw_uid, name);
  }
}

std::optional<uid_t> Users::id(std::string_view name_or_number) const {
  if (const auto found = ids_.find(name_or_number); found != ids_.end()) {
    return found->second;
  }
  uid_t uid = 0;
  const char* const end = name_or_number.data() + name_or_number.size();
  const auto [parsed, error] = std::from_chars(name_or_number.data(), end, uid);
  if (error != std::errc{} || parsed != end || uid == kNoUid) {
    return std::nullopt;
  }
  return uid;
}

std::string_view Users::name(uid_t uid) {
  if (const auto found = names_.find(uid); found != names_.end()) {
    return found->second;
  }
  number_ = std::to_string(uid);
  return number_;
}

}  // namespace bpftrap
