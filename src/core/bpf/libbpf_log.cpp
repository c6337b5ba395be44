// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <deque>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// Enough to reach back from the verifier's reason to the source line.
constexpr std::size_t kept_lines = 64;

struct State {
  bool verbose = false;
  std::deque<std::string> warnings;
};

// libbpf's callback has no user pointer, so its state is global.
State& state() {
  static State instance;
  return instance;
}

int print(libbpf_print_level level, const char* format, va_list args) {
  State& to = state();
  if (!to.verbose && level != LIBBPF_WARN) {
    return 0;
  }
  std::va_list again;
  va_copy(again, args);
  int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) {
    return 0;
  }
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, args);
  text.pop_back();
  // libbpf prints a whole verifier log in one call.
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    end = end == std::string::npos ? text.size() : end;
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (to.verbose) {
      say(line);
    } else {
      to.warnings.push_back(std::move(line));
      if (to.warnings.size() > kept_lines) {
        to.warnings.pop_front();
      }
    }
  }
  return 0;
}

}  // namespace

LibbpfLog::LibbpfLog(bool verbose) {
  state() = State{verbose, {}};
  libbpf_set_print(print);
}

LibbpfLog::~LibbpfLog() {
  libbpf_set_print(nullptr);
}

std::vector<std::string> LibbpfLog::take_warnings() {
  std::deque<std::string> lines = std::exchange(state().warnings, {});
  return {lines.begin(), lines.end()};
}

}  // namespace bpftrap
