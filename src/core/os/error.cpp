// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/error.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

namespace bpftrap {

namespace {

std::string compose(std::string_view step, int err, std::string_view hint) {
  std::string text(step);
  if (err != 0) {
    text += ": ";
    text += std::generic_category().message(err);
  }
  if (!hint.empty()) {
    text += "; ";
    text += hint;
  }
  return text;
}

}  // namespace

Error::Error(std::string_view step, int err, std::string_view hint, std::vector<std::string> log)
    : std::system_error(err, std::generic_category(), std::string(step)),
      step_(step),
      message_(compose(step, err, hint)),
      log_(std::move(log)) {}

void say(std::string_view text) {
  std::string line = "bpftrap: ";
  line += text;
  line += '\n';
  say_table(line);
}

void say_table(std::string_view table) {
  while (!table.empty()) {
    // writev(), because `bpftrap hello` watches write().
    iovec part{const_cast<char*>(table.data()), table.size()};
    ssize_t written = ::writev(STDERR_FILENO, &part, 1);
    if (written <= 0) {
      return;
    }
    table.remove_prefix(static_cast<std::size_t>(written));
  }
}

void say(const Error& error) {
  say(error.message());
  for (const std::string& line : error.log()) {
    say("  " + line);
  }
}

}  // namespace bpftrap
