// SPDX-License-Identifier: GPL-2.0-only
// A failed step, its cause, and its fix. Setup throws it; `main` alone turns it into a message and
// an exit status.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace bpftrap {

class Error : public std::system_error {
 public:
  // `step`: the step that failed ("cannot load the BPF programs of exec"). `err`: an errno, or 0.
  // `hint`: how the user can fix it, may be empty. `log`: lines that explain more.
  Error(std::string_view step, int err, std::string_view hint = {},
        std::vector<std::string> log = {});

  // One line, without a newline: step, reason, hint.
  const std::string& message() const { return message_; }
  const std::string& step() const { return step_; }
  const std::vector<std::string>& log() const { return log_; }

 private:
  std::string step_;
  std::string message_;
  std::vector<std::string> log_;
};

// Writes `bpftrap: ` and the text to standard error, one line each. Never fails nor waits
// (messages.h).
void say(std::string_view text);

// Writes a table that the user asked for to standard error as it is. Never fails nor waits.
void say_table(std::string_view table);

// Writes the message of the error, and its log below.
void say(const Error& error);

}  // namespace bpftrap
