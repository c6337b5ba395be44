// SPDX-License-Identifier: GPL-2.0-only
// Checks of bpftrap's output for the fuzz targets. They implement the same rules a second time,
// from the standards and the documentation, and share no code with src/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

// Aborts unless `kept`, and libFuzzer then reports the input. `promise` is the expectation,
// `evidence` is what was seen instead.
void require(bool kept, std::string_view promise, std::string_view evidence = {});

// The expected JSON text for these bytes: each byte that is not UTF-8 becomes U+FFFD.
std::string expected_text(std::string_view bytes);

// Requires text that is safe on a terminal: valid UTF-8 without control characters, and without
// characters that reorder text or break lines.
void require_terminal_safe(std::string_view text);

// Requires exactly one line with its line feed. Returns the line without it.
std::string_view require_one_line(std::string_view text);

// The words of a command line, as a shell reads them. Requires a single simple command.
std::vector<std::string> words_in_shell(std::string_view command_line);

// Parses an object on one line. Requires strict JSON and unique keys.
nlohmann::json require_json_line(std::string_view text);

// Splits `bytes` at the separator, which ends each piece. The last piece may lack it.
std::vector<std::string> split(std::string_view bytes, char separator);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace fuzz
