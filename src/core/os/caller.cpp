// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/caller.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/os/account_file.h"
#include "core/os/error.h"

namespace bpftrap {

namespace {

using Tool = SudoProcess::Tool;

// The calling user, as the tool's variables and the passwd file describe it.
struct User {
  Tool tool = Tool::sudo;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  std::string home;
  // Empty if unknown.
  std::string shell;
};

std::uint32_t parse_id(std::string_view variable, std::string_view text) {
  std::optional<std::uint32_t> id = parse_account_id(text);
  if (!id) {
    std::string name(variable);
    throw Error("cannot tell who called sudo: " + name + " is '" + std::string(text) + "', no id",
                0, "unset " + name + " to run the program as root");
  }
  return *id;
}

// Fills in what the first matching line has. True if there is one.
template <class Matches>
bool look_up(User& user, const std::string& passwd_path, Matches matches) {
  AccountFile file = open_account_file(passwd_path);
  while (const passwd* entry = file ? fgetpwent(file.get()) : nullptr) {
    if (matches(*entry)) {
      user.uid = entry->pw_uid;
      user.home = entry->pw_dir;
      user.shell = entry->pw_shell;
      if (user.tool == Tool::doas) {
        user.gid = entry->pw_gid;
      }
      return true;
    }
  }
  return false;
}

User sudo_user(const Environment& own, const std::string& passwd_path) {
  User user{Tool::sudo,
            parse_id("SUDO_UID", find_variable(own, "SUDO_UID").value_or("")),
            parse_id("SUDO_GID", find_variable(own, "SUDO_GID").value_or("")),
            std::string(find_variable(own, "SUDO_USER").value_or("")),
            std::string(find_variable(own, "SUDO_HOME").value_or("/")),
            ""};
  // An id may have several names: prefer the line with both, else take the first with the id.
  auto has_id = [uid = user.uid](const passwd& entry) { return entry.pw_uid == uid; };
  auto has_both = [&](const passwd& entry) { return has_id(entry) && user.name == entry.pw_name; };
  if (!look_up(user, passwd_path, has_both)) {
    look_up(user, passwd_path, has_id);
  }
  return user;
}

User doas_user(std::string_view name, const std::optional<SudoProcess>& doas,
               const std::string& passwd_path) {
  User user{Tool::doas, 0, 0, std::string(name), "/", ""};
  bool found =
      look_up(user, passwd_path, [name](const passwd& entry) { return name == entry.pw_name; });
  if (!found && doas) {
    user.uid = doas->uid;
    user.gid = doas->gid;
  } else if (!found) {
    throw Error("cannot tell who called doas: '" + user.name + "' is not in " + passwd_path, 0,
                "unset DOAS_USER to run the program as root");
  }
  return user;
}

std::optional<User> find_user(const Environment& own, const std::optional<SudoProcess>& parent,
                              const std::string& passwd_path) {
  auto doas = find_variable(own, "DOAS_USER");
  bool sudo = find_variable(own, "SUDO_UID") && find_variable(own, "SUDO_GID") &&
              find_variable(own, "SUDO_USER");
  bool in_doas = parent && parent->tool == Tool::doas;
  // One of them may be left over from outside the other.
  if (sudo && !(doas && in_doas)) {
    return sudo_user(own, passwd_path);
  }
  if (doas) {
    return doas_user(*doas, in_doas ? parent : std::nullopt, passwd_path);
  }
  return std::nullopt;
}

std::vector<gid_t> groups_of_file(const User& user, const std::string& group_path) {
  std::vector<gid_t> groups;
  AccountFile file = open_account_file(group_path);
  while (const group* entry = file ? fgetgrent(file.get()) : nullptr) {
    if (is_nis_line(entry->gr_name)) {
      continue;
    }
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
      if (user.name == *member) {
        groups.push_back(entry->gr_gid);
      }
    }
  }
  return groups;
}

std::vector<gid_t> with_gid(gid_t gid, const std::vector<gid_t>& groups) {
  std::vector<gid_t> result{gid};
  for (gid_t group : groups) {
    if (std::find(result.begin(), result.end(), group) == result.end()) {
      result.push_back(group);
    }
  }
  return result;
}

// Whether sudo or doas sets it, or a PAM module for the target user's session. See sudo's
// plugins/sudoers/env.c rebuild_env(); LD_PRELOAD is for `noexec` and `intercept`.
bool is_set_by_tool(std::string_view name) {
  constexpr std::string_view names[] = {"DOAS_USER",
                                        "HOME",
                                        "LOGNAME",
                                        "USER",
                                        "USERNAME",
                                        "MAIL",
                                        "PATH",
                                        "SHELL",
                                        "TERM",
                                        "PS1",
                                        "LD_PRELOAD",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        "XDG_RUNTIME_DIR",
                                        "XDG_SEAT",
                                        "XDG_VTNR"};
  return name.starts_with("SUDO_") || name.starts_with("XDG_SESSION_") ||
         std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// The environment that the tool received, with additions. Variables of the tool's command line
// replace the user's. Other variables do not, because a PAM module may have set them.
Environment received_environment(const SudoProcess& tool, const Environment& own) {
  Environment result = tool.environment;
  for (const std::string& entry : own) {
    std::string_view name = variable_name(entry);
    bool given = std::find(tool.words.begin(), tool.words.end(), entry) != tool.words.end();
    if (given || (!is_set_by_tool(name) && !find_variable(result, name))) {
      set_variable(result, entry);
    }
  }
  return result;
}

// The environment of bpftrap, changed to that of the user where the user is known.
Environment own_environment_of(const User& user, Environment environment) {
  std::erase_if(environment, [](std::string_view entry) {
    return entry.starts_with("SUDO_") || entry.starts_with("DOAS_USER=") ||
           entry.starts_with("MAIL=") || entry.starts_with("USERNAME=");
  });
  set_variable(environment, "HOME=" + user.home);
  set_variable(environment, "LOGNAME=" + user.name);
  set_variable(environment, "USER=" + user.name);
  if (!user.shell.empty()) {
    set_variable(environment, "SHELL=" + user.shell);
  }
  return environment;
}

}  // namespace

std::optional<Caller> find_caller(const Environment& own, const std::optional<SudoProcess>& parent,
                                  const UserFiles& files) {
  std::optional<User> user = find_user(own, parent, files.passwd);
  if (!user) {
    return std::nullopt;
  }
  Caller caller{user->uid, user->gid, user->name, {}, {}, false};
  // The ids tell a tool that executed bpftrap directly, below another one that is the parent: its
  // caller's environment must not reach a program of another user.
  bool by_parent = parent && parent->tool == user->tool && parent->uid == user->uid;
  caller.environment_received = by_parent;
  if (by_parent) {
    caller.gid = user->tool == Tool::doas ? parent->gid : user->gid;
    caller.environment = received_environment(*parent, own);
  } else {
    caller.environment = own_environment_of(*user, own);
  }
  caller.groups =
      with_gid(caller.gid, by_parent && parent->caller_groups ? *parent->caller_groups
                                                              : groups_of_file(*user, files.group));
  return caller;
}

std::optional<Caller> calling_user() {
  if (::geteuid() != 0) {
    return std::nullopt;
  }
  pid_t pid = ::getppid();
  std::optional<SudoProcess> parent = sudo_process(pid);
  if (::getppid() != pid) {
    parent.reset();  // it ended meanwhile, so the pid may be another process's
  }
  return find_caller(own_environment(), parent);
}

void become(const Caller& caller) {
  if (::setgroups(caller.groups.size(), caller.groups.data()) != 0 ||
      ::setresgid(caller.gid, caller.gid, caller.gid) != 0 ||
      ::setresuid(caller.uid, caller.uid, caller.uid) != 0) {
    throw Error("cannot become the user '" + caller.name + "' who called sudo or doas", errno,
                "unset SUDO_UID and DOAS_USER to run the program as root");
  }
}

}  // namespace bpftrap
