// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_names.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/analysis/slow_records.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

// More commands of a program change hardly any label.
constexpr std::size_t siblings_most = 2000;
constexpr std::size_t sibling_bytes_most = std::size_t{16} << 20;
constexpr std::size_t least_columns = 8;

// The whole command if it fits, else its beginning.
std::string beginning(std::string_view args, std::size_t columns) {
  std::string line;
  append_command_line(line, args.substr(0, 4 * columns), args.size() > 4 * columns);
  return cut_to(std::move(line), columns);
}

constexpr std::string_view omitted = " …";

// True for `cc …`.
bool has_no_words(std::string_view label) {
  return label.ends_with(omitted) && label.find(' ') == label.size() - omitted.size();
}

// True for `sh -c …`: nothing is left out before the end.
bool is_beginning(std::string_view label) {
  return label.ends_with(omitted) && label.find(omitted) == label.size() - omitted.size();
}

// Removes the last character of UTF-8, or what is left of it.
void drop_character(std::string& text) {
  while (text.size() > 1 && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) {
    text.pop_back();
  }
  text.pop_back();
}

}  // namespace

std::string cut_to(std::string text, std::size_t columns) {
  if (display_width(text) <= columns) {
    return text;
  }
  // The loop below measures what is left each time.
  if (text.size() > 16 * columns) {
    text.resize(16 * columns);
    drop_character(text);
  }
  while (!text.empty() && display_width(text) + 1 > columns) {
    drop_character(text);
  }
  return text + "…";
}

SlowNames::SlowNames(const RecordedRun& run, Index root) : run_(run) {
  if (const RunExec* program = run.last_program(root)) {
    top_ = run.text(program->cwd);
  }
  std::unordered_map<std::string_view, std::size_t> siblings;
  std::size_t all = 0;
  std::size_t bytes = 0;
  constexpr std::size_t all_most = 20000;
  for (Index i = 0; i < run.execs.size() && all < all_most && bytes < sibling_bytes_most; ++i) {
    const RunExec& exec = run.execs[i];
    std::string_view args = run.text(exec.args);
    if (exec.error == 0 && !args.empty() && siblings[program_name(args)]++ < siblings_most) {
      labels_.add(words_of(args));
      ++all;
      bytes += args.size();
    }
  }
}

std::string SlowNames::words_of(std::string_view args) const {
  constexpr std::size_t long_path = 24;
  std::size_t first = std::min(args.find('\0'), args.size());
  std::string words(program_name(args));
  words += '\0';
  std::string_view rest = args.substr(std::min(first + 1, args.size()));
  while (!rest.empty()) {
    std::string_view word = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    bool below_top = !top_.empty() && word.size() > top_.size() && word.starts_with(top_) &&
                     word[top_.size()] == '/';
    if (below_top) {
      word.remove_prefix(top_.size() + 1);
    } else if (word.starts_with("/tmp/cc")) {
      continue;  // names of gcc
    } else if (word.starts_with('/') && word.size() > long_path && word.find(' ') == word.npos) {
      word = program_name(word);
    }
    words.append(word);
    words += '\0';
  }
  return words;
}

std::string SlowNames::directory(const RunExec& exec) const {
  std::string_view path = run_.text(exec.cwd);
  if (path.empty() || path == top_) {
    return {};
  }
  if (!top_.empty() && path.size() > top_.size() && path.starts_with(top_) &&
      path[top_.size()] == '/') {
    path.remove_prefix(top_.size() + 1);
  }
  std::string text = terminal_safe(path);
  return text;
}

std::string SlowNames::of(const RunExec& exec, std::size_t columns) const {
  std::string_view args = run_.text(exec.args);
  std::string name;
  if (args.empty()) {
    append_terminal_safe(name, program_name(run_.text(exec.filename)));
    return cut_to(std::move(name), columns);
  }
  std::string where = directory(exec);
  std::size_t width = where.empty() ? 0 : display_width(where) + 4;
  if (width + 2 * least_columns > columns || width > columns / 2) {
    where.clear();
    width = 0;
  }
  std::string words = words_of(args);
  name = labels_.label(words, columns - width);
  // A word that tells it from others is worth more than the directory.
  if (has_no_words(name) && width > 0) {
    where.clear();
    width = 0;
    name = labels_.label(words, columns);
  }
  if (is_beginning(name)) {
    name = beginning(words, columns - width);
  }
  return cut_to(where.empty() ? name : name + " in " + where, columns);
}

std::string SlowNames::of(Index process, std::size_t columns) const {
  if (const RunExec* program = run_.last_program(process)) {
    return of(*program, columns);
  }
  std::string name = terminal_safe(run_.comm(process));
  return cut_to(name + " (fork)", columns);
}

std::string SlowNames::of(const Segment& segment, std::size_t columns) const {
  if (segment.program != nullptr) {
    return of(*segment.program, columns);
  }
  std::string name = terminal_safe(comm_of(run_, segment).value_or("?"));
  return cut_to(name + " (fork)", columns);
}

}  // namespace bpftrap
