// SPDX-License-Identifier: GPL-2.0-only
// Short labels for commands: the words that tell a command from other runs of the same program,
// such as the source file instead of the flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// Returns argv[0] without its directories. An argument ends with a NUL, which the last one may
// lack.
std::string_view program_name(std::string_view nul_separated_args);

class CommandLabels {
 public:
  // Maximum distinct words that are counted, per program and in all. Further ones count as rare.
  static constexpr std::size_t words_most = 65536;
  static constexpr std::size_t all_words_most = 8 * words_most;

  // Adds a command to those that labels tell apart.
  void add(std::string_view nul_separated_args);

  // Returns the program's name and up to three words that few other commands have, in their order
  // and quoted for a shell, with `…` for omitted ones: at most `columns` on a terminal, and at
  // least the name. Among equally rare words it prefers those that are no options, then the
  // shorter, then the later. A command without siblings keeps as many of its words as fit.
  std::string label(std::string_view nul_separated_args, std::size_t columns) const;

 private:
  // A word of a command that a label may show.
  struct Candidate {
    std::size_t place;       // in argv
    std::uint64_t commands;  // that have the word
    std::size_t size;
    bool option;

    // The one that tells more comes first.
    bool operator<(const Candidate& other) const;
  };
  struct Program {
    std::uint64_t commands = 0;
    // Number of commands that have the word. Ordered, because a process chooses its words and could
    // choose colliding hashes.
    std::map<std::string, std::uint64_t, std::less<>> words;
  };

  std::vector<Candidate> telling(const std::vector<std::string_view>& words,
                                 const std::vector<std::string>& quoted) const;

  std::map<std::string, Program, std::less<>> programs_;
  std::size_t all_words_ = 0;
};

}  // namespace bpftrap
