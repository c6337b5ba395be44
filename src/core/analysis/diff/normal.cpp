// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/diff/normal.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace bpftrap {

namespace {

constexpr std::string_view temporary = "<tmp>";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <class Is>
std::size_t run_length(std::string_view text, Is is) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is) - text.begin());
}

// 8-4-4-4-12 hex digits.
std::size_t uuid_length(std::string_view text) {
  static constexpr std::array<std::size_t, 5> groups = {8, 4, 4, 4, 12};
  std::size_t at = 0;
  for (std::size_t group : groups) {
    if (at > 0 && (at >= text.size() || text[at++] != '-')) {
      return 0;
    }
    std::string_view rest = text.substr(at);
    if (run_length(rest, is_alnum) != group || run_length(rest, is_hex) != group) {
      return 0;
    }
    at += group;
  }
  return at;
}

// True if a person would hardly choose these letters and digits: they are no word, in one case or
// with a capital, with or without a number behind it.
bool looks_random(std::string_view text) {
  std::string_view word = text.substr(0, text.find_last_not_of("0123456789") + 1);
  if (word.empty()) {
    return false;
  }
  std::string_view rest = word.substr(1);
  bool is_lower_word = std::all_of(rest.begin(), rest.end(), is_lower) && !is_digit(word[0]);
  bool is_upper_word = std::all_of(word.begin(), word.end(), is_upper);
  return !is_lower_word && !is_upper_word;
}

constexpr std::size_t random_least = 6;  // mkstemp(3) replaces XXXXXX

// The part of a run of letters and digits that mktemp has made: its length, at the end of the run.
// `before`: the text before the run, within the name of the file.
std::size_t random_tail(std::string_view run, std::string_view before) {
  constexpr std::size_t mktemp_default = 10;  // tmp.XXXXXXXXXX
  constexpr std::size_t go_digits_least = 9;  // os.MkdirTemp of Go appends a number
  if (before == "tmp." && run.size() == mktemp_default) {
    return run.size();
  }
  if (before.empty() && run.size() == 2 + random_least && run.starts_with("cc")) {
    return random_least;  // of gcc
  }
  std::size_t digits = 0;
  while (digits < run.size() && is_digit(run[run.size() - 1 - digits])) {
    ++digits;
  }
  if (digits >= go_digits_least) {
    return digits;
  }
  if (run.size() < random_least || !looks_random(run.substr(run.size() - random_least))) {
    return 0;
  }
  constexpr std::size_t whole_most = 12;
  bool is_own_part = !before.empty() || run.size() == random_least;
  return is_own_part && run.size() <= whole_most ? run.size() : random_least;
}

// Directories of temporary files.
bool ends_with_temporary_directory(std::string_view text) {
  static constexpr std::array<std::string_view, 3> directories = {"/tmp/", "/var/tmp/",
                                                                  "/dev/shm/"};
  return std::any_of(directories.begin(), directories.end(), [text](std::string_view directory) {
    if (!text.ends_with(directory)) {
      return false;
    }
    // `/srv/tmp/` is another directory.
    std::size_t before = text.size() - directory.size();
    return before == 0 ||
           !(is_alnum(text[before - 1]) || text[before - 1] == '.' || text[before - 1] == '_' ||
             text[before - 1] == '-' || text[before - 1] == '>');
  });
}

bool is_name_character(char c) {
  return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '~';
}

// The random part of a run of letters and digits: how many bytes stay before it, and its length.
struct RandomPart {
  std::size_t kept = 0;
  std::size_t length = 0;
};

// `run`: at the front of `rest`. `before`: the text before it, within the name of the file.
RandomPart random_part(std::string_view rest, std::string_view run, std::string_view before) {
  constexpr std::string_view prefix = "tmp";  // tempfile of Python: tmp and 8 of [a-z0-9_]
  constexpr std::size_t python = 8;
  auto is_python = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
  if (before.empty() && rest.starts_with(prefix) &&
      run_length(rest.substr(prefix.size()), is_python) == python) {
    return {prefix.size(), python};
  }
  std::size_t tail = random_tail(run, before);
  return {run.size() - tail, tail};
}

}  // namespace

CommandNormalizer::CommandNormalizer(std::string_view directory)
    : directory_(directory.size() > 1 ? directory : std::string_view()) {}

bool CommandNormalizer::is_directory(std::string_view args, std::size_t at) const {
  if (directory_.empty() || !args.substr(at).starts_with(directory_)) {
    return false;
  }
  std::size_t end = at + directory_.size();
  return end == args.size() || !is_name_character(args[end]);
}

bool CommandNormalizer::is_pid(std::string_view word) const {
  Pid pid = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
  return error == std::errc() && end == word.data() + word.size() && word[0] != '0' &&
         pids_.contains(pid);
}

std::size_t CommandNormalizer::replaced(std::string_view args, std::size_t at,
                                        std::string_view& name) const {
  std::string_view rest = args.substr(at);
  if (is_directory(args, at)) {
    name = "<dir>";
    return directory_.size();
  }
  if (at > 0 && is_alnum(args[at - 1])) {
    return 0;
  }
  if (std::size_t length = uuid_length(rest); length > 0) {
    name = "<uuid>";
    return length;
  }
  std::size_t length = run_length(rest, is_alnum);
  constexpr std::size_t hex_least = 12;
  std::size_t prefix = rest.starts_with("0x") ? 2 : 0;
  if (length >= hex_least + prefix && run_length(rest.substr(prefix), is_hex) + prefix == length) {
    name = "<hex>";
    return length;
  }
  if (length > 0 && is_pid(rest.substr(0, length))) {
    name = "<pid>";
    return length;
  }
  return 0;
}

std::string CommandNormalizer::normalize(std::string_view args) const {
  std::string out;
  std::size_t name = 0;       // where the present file name begins
  bool is_temporary = false;  // it is in a directory of temporary files
  for (std::size_t at = 0; at < args.size();) {
    if (at == 0 || !is_name_character(args[at - 1])) {
      name = at;
      is_temporary = ends_with_temporary_directory(args.substr(0, at));
    }
    std::string_view word;
    if (std::size_t length = replaced(args, at, word); length > 0) {
      out += word;
      at += length;
      continue;
    }
    std::string_view rest = args.substr(at);
    std::size_t length = run_length(rest, is_alnum);
    std::string_view before = args.substr(name, at - name);
    if (length == 0 || !(is_temporary || before == "tmp.")) {
      length = std::max<std::size_t>(length, 1);
      out += rest.substr(0, length);
      at += length;
      continue;
    }
    RandomPart part = random_part(rest, rest.substr(0, length), before);
    if (part.length > 0 && (is_temporary || part.kept == 0)) {
      out += rest.substr(0, part.kept);
      out += temporary;
      at += part.kept + part.length;
    } else {
      out += rest.substr(0, length);
      at += length;
    }
  }
  return out;
}

bool differ_by_temporary_name(std::string_view a, std::string_view b) {
  auto split_at = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  auto prefix = static_cast<std::size_t>(split_at.first - a.begin());
  std::string_view rest_a = a.substr(prefix);
  std::string_view rest_b = b.substr(prefix);
  while (!rest_a.empty() && !rest_b.empty() && rest_a.back() == rest_b.back()) {
    rest_a.remove_suffix(1);
    rest_b.remove_suffix(1);
  }
  std::string_view other = rest_a == temporary ? rest_b : rest_a;
  if ((rest_a != temporary && rest_b != temporary) || other.size() < random_least) {
    return false;
  }
  return std::all_of(other.begin(), other.end(), is_alnum);
}

}  // namespace bpftrap
