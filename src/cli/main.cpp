// SPDX-License-Identifier: GPL-2.0-only
// Entry point. Only this file turns an error into a message and an exit status.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "cli/command_line.h"
#include "core/doctor/explain.h"
#include "core/os/error.h"
#include "core/os/messages.h"
#include "core/os/standard_streams.h"

namespace bpftrap {

namespace {

// Prints `text`. A closed reader is no error: `bpftrap --help | true`. Throws Error.
void print(const std::string& text) {
  if (was_closed(STDOUT_FILENO)) {
    throw Error("cannot write to standard output", EBADF);
  }
  bool failed = std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0;
  if (failed && errno != EPIPE) {
    throw Error("cannot write to standard output", errno);
  }
}

int run(const Invocation& line) {
  if (line.run) {
    return line.run();
  }
  if (line.status == ended_as_asked) {
    print(line.text);
  } else {
    say(line.text);
  }
  return line.status;
}

}  // namespace

}  // namespace bpftrap

// Replaces the default handler of std::terminate(). libstdc++'s version links the demangler (49 KB)
// to print a type name, even if another handler is set at run time.
void __gnu_cxx::__verbose_terminate_handler() {
  try {
    if (std::current_exception()) {
      throw;
    }
    bpftrap::say("terminated without an exception");
  } catch (const std::exception& error) {
    bpftrap::say(error.what());
  } catch (...) {
    bpftrap::say("terminated by an exception of unknown type");
  }
  std::abort();
}

namespace bpftrap {

namespace {

int run_main(int argc, char** argv) {
  fill_standard_streams();
  open_messages();
  int failure = could_not_work;
  try {
    Invocation line = read_command_line(argc, argv);
    failure = line.failure;
    return run(line);
  } catch (const Error& error) {
    say(explain(error));
  } catch (const std::exception& error) {
    say(error.what());
  }
  return failure;
}

}  // namespace

}  // namespace bpftrap

int main(int argc, char** argv) {
  int status = bpftrap::run_main(argc, argv);
  bpftrap::drain_messages(bpftrap::message_patience);
  return status;
}
