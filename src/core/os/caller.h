// SPDX-License-Identifier: GPL-2.0-only
// The user who called sudo or doas. PROGRAM of `exec -- PROGRAM` runs as that user.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/os/environment.h"
#include "core/os/sudo_process.h"

namespace bpftrap {

struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  // `gid`, then the supplementary groups.
  std::vector<gid_t> groups;
  // For PROGRAM only. The user may have chosen it, so bpftrap itself must not read it.
  Environment environment;
  // The environment is the user's. Otherwise it is bpftrap's, with a PATH that the tool may have
  // reset.
  bool environment_received = false;

  friend bool operator==(const Caller&, const Caller&) = default;
};

// The user and group files. They are read without NSS, as Users does.
struct UserFiles {
  std::string passwd = "/etc/passwd";
  std::string group = "/etc/group";
};

// Reads SUDO_UID, SUDO_GID and SUDO_USER, or DOAS_USER. None if neither tool set its variables.
//
// If `parent` is the tool that set them, and was called by that user, the environment is the one
// that the tool received. It also has the variables that the tool did not set itself, from `own`.
// Supplementary groups are then those of the process that called the tool.
//
// Otherwise (sudo without PAM sessions executes bpftrap directly) the environment is `own` without
// the tool's variables, with HOME, LOGNAME, USER and SHELL of the user. Groups are those of the
// group file. A user who is not in the passwd file has the home of SUDO_HOME (since sudo 1.9.16),
// else `/`.
//
// Throws Error if an id is invalid, or if the id of a user who called doas is unknown.
std::optional<Caller> find_caller(const Environment& own, const std::optional<SudoProcess>& parent,
                                  const UserFiles& files = {});

// The same for this process and its parent. None without root's rights: bpftrap could not become
// another user. Throws Error.
std::optional<Caller> calling_user();

// This process becomes the user, permanently. Throws Error.
void become(const Caller& caller);

}  // namespace bpftrap
