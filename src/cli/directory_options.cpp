// SPDX-License-Identifier: GPL-2.0-only
#include "cli/directory_options.h"

#include <CLI/CLI.hpp>
#include <stdexcept>

#include "cli/common_options.h"
#include "core/text/units.h"

namespace bpftrap {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds age_least = 10s;

std::uint64_t parse_keep(std::string_view text) {
  std::uint64_t size = parse_size(text);
  if (size < RecordingDirectory::bytes_least) {
    throw std::invalid_argument("is too small for a directory; expected 4M or more");
  }
  return size;
}

std::chrono::nanoseconds parse_age(std::string_view text) {
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) {
    throw std::invalid_argument("has no unit; expected a time such as 7d or 12h");
  }
  std::chrono::nanoseconds age = parse_duration(text, 1s);
  if (age < age_least) {
    throw std::invalid_argument("is too short; expected 10s or more");
  }
  return age;
}

std::chrono::nanoseconds parse_sync(std::string_view text) {
  std::chrono::nanoseconds interval = parse_duration(text, 1s);
  if (interval < 100ms) {
    throw std::invalid_argument("is too short; expected 100ms or more");
  }
  return interval;
}

}  // namespace

void add_directory_options(CLI::App& app, DirectoryOptions& options) {
  begin_group(app, "Directory");
  add_parsed_option(
      app, "--dir",
      [&options](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument("is not a directory; expected a path");
        }
        options.path = text;
      },
      "write to DIR, which never exceeds --keep: the oldest records are dropped first", "DIR");
  add_parsed_option(
      app, "--keep", [&options](std::string_view text) { options.limits.bytes = parse_keep(text); },
      "keep at most this much in DIR (M, G, T; default 1G)", "SIZE");
  add_parsed_option(
      app, "--keep-for",
      [&options](std::string_view text) { options.limits.age = parse_age(text); },
      "drop records that are older (7d, 12h; needs a unit)", "TIME");
  add_parsed_option(
      app, "--sync", [&options](std::string_view text) { options.sync = parse_sync(text); },
      "write DIR to its disk this often (default 5s; a bare number is seconds)", "TIME");
}

void check_directory_options(const CLI::App& app, const DirectoryOptions& options,
                             const TraceOptions& trace) {
  if (options.path.empty()) {
    for (const char* name : {"--keep", "--keep-for", "--sync"}) {
      if (app.count(name) > 0) {
        refuse_usage(std::string(name) + ": there is no directory; expected --dir DIR");
      }
    }
    return;
  }
  if (app.count("--output") > 0) {
    refuse_usage("--dir: cannot be combined with --output; expected one of them");
  }
  if (!trace.exports.empty()) {
    refuse_usage(
        "--dir: cannot be combined with files that are made at the end; expected --output "
        "FILE, or `bpftrap show`");
  }
  if (!trace.program.empty()) {
    refuse_usage("--dir: cannot be combined with -- PROGRAM; expected --output FILE");
  }
}

}  // namespace bpftrap
