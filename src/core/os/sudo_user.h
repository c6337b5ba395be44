// SPDX-License-Identifier: GPL-2.0-only
// Who called sudo: the user whom PROGRAM of `exec -- PROGRAM` belongs to.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// `NAME=VALUE` each.
using Environment = std::vector<std::string>;

// What bpftrap itself was given.
Environment own_environment();

// Who called sudo.
struct SudoUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  std::string home;
  // Empty where it is not known.
  std::string shell;
  // `gid`, then the groups that the group file names the user a member of.
  std::vector<gid_t> groups;

  friend bool operator==(const SudoUser&, const SudoUser&) = default;
};

// Reads SUDO_UID, SUDO_GID and SUDO_USER; none where one of them is missing. Only the two files
// are asked and no NSS, as by Users: a user whom they do not know has no supplementary groups, and
// the home that sudo says (SUDO_HOME, since 1.9.16), else `/`. Throws Error where an id is none.
std::optional<SudoUser> sudo_user(const Environment& environment,
                                  const std::string& passwd_path = "/etc/passwd",
                                  const std::string& group_path = "/etc/group");

// The value of a variable. The first entry of that name counts, as for getenv().
std::optional<std::string_view> find_variable(const Environment& environment,
                                              std::string_view name);

// The environment without what sudo put there: no SUDO_*, and HOME, LOGNAME, USER and SHELL those
// of the user.
Environment environment_of(const SudoUser& user, Environment environment);

// This process becomes the user, for good. Throws Error.
void become(const SudoUser& user);

}  // namespace bpftrap
