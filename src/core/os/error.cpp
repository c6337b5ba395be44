// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/error.h"

#include "core/os/messages.h"

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
  write_message(line);
}

void say_table(std::string_view table) {
  write_requested(table);
}

void say(const Error& error) {
  say(error.message());
  for (const std::string& line : error.log()) {
    say("  " + line);
  }
}

}  // namespace bpftrap
