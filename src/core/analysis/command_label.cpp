// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/command_label.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/text/text.h"

namespace bpftrap {

namespace {

constexpr std::string_view omitted = "…";

// Further words rarely tell more: they name the outputs of the same source file.
constexpr std::size_t telling_words = 3;
// Words of a command without siblings that are tried.
constexpr std::size_t words_shown = 64;

std::vector<std::string_view> split_args(std::string_view args) {
  std::vector<std::string_view> words;
  while (!args.empty()) {
    std::size_t end = std::min(args.find('\0'), args.size());
    words.push_back(args.substr(0, end));
    args.remove_prefix(std::min(end + 1, args.size()));
  }
  return words;
}

// Writes the words that `shown` marks, in order, with one `omitted` per gap.
std::string write_label(const std::vector<std::string>& words, const std::vector<bool>& shown) {
  std::string label = words.front();
  bool gap = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (shown[i]) {
      label += gap ? " " + std::string(omitted) + " " : " ";
      label += words[i];
    }
    gap = !shown[i];
  }
  if (gap) {
    label += " ";
    label += omitted;
  }
  return label;
}

}  // namespace

std::string_view program_name(std::string_view args) {
  std::string_view path = args.substr(0, std::min(args.find('\0'), args.size()));
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos || slash + 1 == path.size() ? path
                                                                     : path.substr(slash + 1);
}

bool CommandLabels::Candidate::operator<(const Candidate& other) const {
  return std::tie(commands, option, size, other.place) <
         std::tie(other.commands, other.option, other.size, place);
}

void CommandLabels::add(std::string_view args) {
  Program& program = programs_[std::string(program_name(args))];
  ++program.commands;
  std::vector<std::string_view> words = split_args(args);
  std::set<std::string_view> once(words.begin(), words.end());
  for (std::string_view word : once) {
    auto known = program.words.find(word);
    if (known != program.words.end()) {
      ++known->second;
    } else if (program.words.size() < words_most && all_words_ < all_words_most) {
      program.words.emplace(word, 1);
      ++all_words_;
    }
  }
}

std::string CommandLabels::label(std::string_view args, std::size_t columns) const {
  std::vector<std::string_view> words = split_args(args);
  std::vector<std::string> quoted(std::max<std::size_t>(words.size(), 1));
  append_shell_quoted(quoted.front(), program_name(args), WordPlace::command);
  for (std::size_t i = 1; i < words.size(); ++i) {
    append_shell_quoted(quoted[i], words[i]);
  }
  std::vector<Candidate> candidates = telling(words, quoted);
  std::vector<bool> shown(quoted.size());
  for (const Candidate& candidate : candidates) {
    shown[candidate.place] = true;
    if (display_width(write_label(quoted, shown)) > columns) {
      shown[candidate.place] = false;
    }
  }
  return write_label(quoted, shown);
}

std::vector<CommandLabels::Candidate> CommandLabels::telling(
    const std::vector<std::string_view>& words, const std::vector<std::string>& quoted) const {
  auto program = programs_.find(words.empty() ? "" : program_name(words.front()));
  std::uint64_t siblings = program == programs_.end() ? 0 : program->second.commands;
  std::vector<Candidate> candidates;
  std::set<std::string_view> seen;
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::uint64_t commands = 0;
    if (siblings > 1) {
      auto known = program->second.words.find(words[i]);
      commands = known == program->second.words.end() ? 1 : known->second;
    }
    bool repeated = !seen.insert(words[i]).second;
    if (commands * 2 <= siblings && (siblings < 2 || !repeated)) {
      candidates.push_back({i, commands, quoted[i].size(), words[i].starts_with('-')});
    }
  }
  if (siblings > 1) {
    std::sort(candidates.begin(), candidates.end());
  }
  candidates.resize(std::min(candidates.size(), siblings > 1 ? telling_words : words_shown));
  return candidates;
}

}  // namespace bpftrap
