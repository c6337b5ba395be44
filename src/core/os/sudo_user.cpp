// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/sudo_user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "core/os/account_file.h"
#include "core/os/error.h"

namespace bpftrap {

namespace {

std::uint32_t parse_id(std::string_view variable, std::string_view text) {
  std::optional<std::uint32_t> id = parse_account_id(text);
  if (!id) {
    std::string name(variable);
    throw Error("cannot tell who called sudo: " + name + " is '" + std::string(text) + "', no id",
                0, "unset " + name + " to run the program as root");
  }
  return *id;
}

void look_up_user(SudoUser& user, const std::string& passwd_path) {
  AccountFile file = open_account_file(passwd_path);
  bool found = false;
  while (const passwd* entry = file ? fgetpwent(file.get()) : nullptr) {
    // An id may have several names: prefer the line with both, else the first one with the id.
    bool same_name = user.name == entry->pw_name;
    if (entry->pw_uid == user.uid && (same_name || !found)) {
      user.home = entry->pw_dir;
      user.shell = entry->pw_shell;
      found = true;
      if (same_name) {
        return;
      }
    }
  }
}

void look_up_groups(SudoUser& user, const std::string& group_path) {
  user.groups.push_back(user.gid);
  AccountFile file = open_account_file(group_path);
  while (const group* entry = file ? fgetgrent(file.get()) : nullptr) {
    if (is_nis_line(entry->gr_name)) {
      continue;
    }
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
      if (user.name == *member &&
          std::find(user.groups.begin(), user.groups.end(), entry->gr_gid) == user.groups.end()) {
        user.groups.push_back(entry->gr_gid);
      }
    }
  }
}

}  // namespace

std::optional<std::string_view> find_variable(const Environment& environment,
                                              std::string_view name) {
  for (std::string_view entry : environment) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

Environment own_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    result.emplace_back(*entry);
  }
  return result;
}

std::optional<SudoUser> sudo_user(const Environment& environment, const std::string& passwd_path,
                                  const std::string& group_path) {
  std::optional<std::string_view> uid = find_variable(environment, "SUDO_UID");
  std::optional<std::string_view> gid = find_variable(environment, "SUDO_GID");
  std::optional<std::string_view> name = find_variable(environment, "SUDO_USER");
  if (!uid || !gid || !name) {
    return std::nullopt;
  }
  SudoUser user;
  user.uid = parse_id("SUDO_UID", *uid);
  user.gid = parse_id("SUDO_GID", *gid);
  user.name = *name;
  user.home = find_variable(environment, "SUDO_HOME").value_or("/");
  look_up_user(user, passwd_path);
  look_up_groups(user, group_path);
  return user;
}

Environment environment_of(const SudoUser& user, Environment environment) {
  std::vector<std::string> own{"HOME=" + user.home, "LOGNAME=" + user.name, "USER=" + user.name};
  if (!user.shell.empty()) {
    own.push_back("SHELL=" + user.shell);
  }
  std::erase_if(environment, [&own](std::string_view entry) {
    return entry.starts_with("SUDO_") ||
           std::any_of(own.begin(), own.end(), [entry](std::string_view mine) {
             return entry.starts_with(mine.substr(0, mine.find('=') + 1));
           });
  });
  environment.insert(environment.end(), own.begin(), own.end());
  return environment;
}

void become(const SudoUser& user) {
  if (::setgroups(user.groups.size(), user.groups.data()) != 0 ||
      ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0) {
    throw Error("cannot become the user '" + user.name + "' who called sudo", errno,
                "unset SUDO_UID to run the program as root");
  }
}

}  // namespace bpftrap
