// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/links.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "e2e/failure.h"

namespace e2e {

namespace {

constexpr const char* names[] = {"exe", "cwd", "fd/0", "fd/1", "fd/2"};

// A mark is in front of each link, `-` if it could not be read, and a NUL behind it.
Links parse(const std::string& text) {
  std::vector<Link> found;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find('\0', at);
    if (end == std::string::npos) {
      break;
    }
    std::string one = text.substr(at, end - at);
    found.push_back(one[0] == '+' ? Link(one.substr(1)) : std::nullopt);
    at = end + 1;
  }
  if (found.size() != std::size(names)) {
    throw Failure("the process of the test did not describe itself");
  }
  return {found[0], found[1], {found[2], found[3], found[4]}};
}

// Runs before main() and before tests are registered, because googletest ends a process whose
// current directory has no path.
__attribute__((constructor(101))) void describe_if_asked(int argc, char** argv) {
  if (argc != 5 || std::strcmp(argv[1], "--workload") != 0 ||
      std::strcmp(argv[2], "describe") != 0) {
    return;
  }
  int out = std::atoi(argv[3]);
  int proc = std::atoi(argv[4]);
  for (const char* name : names) {
    char target[PATH_MAX + 2] = "+";
    ssize_t size = ::readlinkat(proc, name, target + 1, PATH_MAX);
    target[0] = size >= 0 ? '+' : '-';
    std::size_t length = 2 + static_cast<std::size_t>(std::max<ssize_t>(size, 0));
    if (::write(out, target, length) != static_cast<ssize_t>(length)) {
      ::_exit(1);
    }
  }
  ::_exit(0);
}

}  // namespace

Described describe(const std::function<void()>& prepare, const std::string& path,
                   const std::vector<std::string>& options) {
  return describe_by(
      prepare,
      [&path](char* const* argv, char* const* envp) { ::execve(path.c_str(), argv, envp); },
      options);
}

Described describe_by(const std::function<void()>& prepare, const Execute& execute,
                      const std::vector<std::string>& options) {
  std::vector<std::string> command{"exec", "--json"};
  command.insert(command.end(), options.begin(), options.end());
  Bpftrap bpftrap(command);
  bpftrap.await_start();
  int pipe[2];
  if (::pipe(pipe) != 0) {
    throw Failure("cannot create a pipe");
  }
  Child child([&] {
    int proc = ::open("/proc/self", O_RDONLY | O_DIRECTORY);
    must(proc, "/proc/self");
    prepare();
    ExecStrings strings(
        {"test", "--workload", "describe", std::to_string(pipe[1]), std::to_string(proc)}, "");
    execute(strings.argv(), strings.envp());
    std::perror("execute");
    return 127;
  });
  ::close(pipe[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t size = 0; (size = ::read(pipe[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(pipe[0]);
  Ended ended = child.wait();
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  return {parse(text), bpftrap.record_of(ended, "exec"), bpftrap.record_of(ended, "exit")};
}

void copy_self(const std::string& path) {
  std::filesystem::copy_file(self_path(), path);
}

void must(int result, const char* what) {
  if (result < 0) {
    std::perror(what);
    ::_exit(126);
  }
}

}  // namespace e2e
