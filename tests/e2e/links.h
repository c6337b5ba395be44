// SPDX-License-Identifier: GPL-2.0-only
// The files of a process as the process itself reads them, by readlink of /proc/self/*, in any root
// directory and mount namespace.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"

namespace e2e {

// None where readlink() failed.
using Link = std::optional<std::string>;

struct Links {
  Link exe;
  Link cwd;
  Link fds[3];
};

// A process that executed this test, with its records.
struct Described {
  Links links;
  Record exec;
  Record exit;
};

// Runs `prepare` in a child, which then executes `path`, a copy of or a link to this test.
// `options` are those of bpftrap.
Described describe(const std::function<void()>& prepare, const std::string& path,
                   const std::vector<std::string>& options = {});
// The same, but the child calls `execute` with the arguments for execve().
using Execute = std::function<void(char* const* argv, char* const* envp)>;
Described describe_by(const std::function<void()>& prepare, const Execute& execute,
                      const std::vector<std::string>& options = {});

// Copies this test to a new file that can be executed.
void copy_self(const std::string& path);

// Ends the child with a message if `result` is negative. For `prepare` and `execute`.
void must(int result, const char* what);

}  // namespace e2e
