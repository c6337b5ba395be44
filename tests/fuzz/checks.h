// SPDX-License-Identifier: GPL-2.0-only
// What the fuzz targets hold bpftrap's output against: the same rules, written a second time from
// the standards and the documentation, sharing no code with src/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

// Aborts, which libFuzzer reports along with the input, unless `kept`; `promise` is what was to
// hold, `evidence` what was seen instead.
void require(bool kept, std::string_view promise, std::string_view evidence = {});

// What JSON is to show for these bytes: those that are no UTF-8 as U+FFFD each.
std::string expected_text(std::string_view bytes);

// Requires that a terminal may be given it: valid UTF-8 without control characters, and without
// those that reorder text or break lines.
void require_terminal_safe(std::string_view text);

// Requires that it is exactly one line, its line feed included; returns it without.
std::string_view require_one_line(std::string_view text);

// The words of a command line as a shell reads them. Requires that they are a simple command and
// nothing more.
std::vector<std::string> words_in_shell(std::string_view command_line);

// An object on one line. Requires JSON by the letter, and no key twice.
nlohmann::json require_json_line(std::string_view text);

// The pieces of `bytes` that end with the separator; the last one may lack it.
std::vector<std::string> split(std::string_view bytes, char separator);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace fuzz
