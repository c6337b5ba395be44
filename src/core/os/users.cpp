// SPDX-License-Identifier: GPL-2.0-only
// User names and ids of a passwd file (see users.h).
#include "core/os/users.h"

#include <grp.h>
#include <pwd.h>

#include "core/os/account_file.h"

namespace bpftrap {

Users::Users(const std::string& passwd_path) {
  AccountFile file = open_account_file(passwd_path);
  while (const passwd* entry = file ? ::fgetpwent(file.get()) : nullptr) {
    std::string_view name = entry->pw_name;
    if (name.empty() || is_nis_line(name)) {
      continue;
    }
    // emplace() keeps the first line for a name or an id, as getpwnam(3) does.
    ids_.emplace(name, entry->pw_uid);
    names_.emplace(entry->pw_uid, name);
  }
}

std::optional<uid_t> Users::id(std::string_view name_or_number) const {
  if (auto found = ids_.find(name_or_number); found != ids_.end()) {
    return found->second;
  }
  return parse_account_id(name_or_number);
}

void Users::define(uid_t uid, std::string_view name) {
  names_.insert_or_assign(uid, std::string(name));
  ids_.insert_or_assign(std::string(name), uid);
}

std::string_view Users::name(uid_t uid) {
  if (auto found = names_.find(uid); found != names_.end()) {
    return found->second;
  }
  number_ = std::to_string(uid);
  return number_;
}

std::string group_name(gid_t gid, const std::string& group_path) {
  AccountFile file = open_account_file(group_path);
  while (const group* entry = file ? ::fgetgrent(file.get()) : nullptr) {
    if (entry->gr_gid == gid && !is_nis_line(entry->gr_name)) {
      return entry->gr_name;
    }
  }
  return std::to_string(gid);
}

}  // namespace bpftrap
