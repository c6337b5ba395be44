// SPDX-License-Identifier: GPL-2.0-only
// User names and ids: names → ids for --user, ids → names for the table.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bpftrap {

// The users of a passwd file, read once.
class Users {
 public:
  // A file that cannot be read counts as empty: then every user is a number.
  explicit Users(const std::string& passwd_path = "/etc/passwd");

  // A name of the file, else any decimal number below 2^32 - 1, in the order of chown(1).
  std::optional<uid_t> id(std::string_view name_or_number) const;

  // The first name of that id in the file, else the number. Valid until the next call.
  std::string_view name(uid_t uid);
  // True if the file has a name for this id.
  bool knows(uid_t uid) const { return names_.contains(uid); }

  std::size_t size() const { return names_.size(); }

  // Adds a user. A later name of an id replaces an earlier one.
  void define(uid_t uid, std::string_view name);

 private:
  std::map<std::string, uid_t, std::less<>> ids_;
  std::unordered_map<uid_t, std::string> names_;
  std::string number_;
};

// The first name of the group in the file, else the number.
std::string group_name(gid_t gid, const std::string& group_path = "/etc/group");

}  // namespace bpftrap
