// SPDX-License-Identifier: GPL-2.0-only
// Recognises the command lines of C and C++ compilers, and finds their source files.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

struct CompilerCommand {
  std::vector<std::string_view> arguments;  // from the compiler's name on, without `ccache`
  std::vector<std::size_t> sources;         // places of the source files in `arguments`

  // The file that this source is compiled to, if the command line tells. A program that is linked
  // at the same time counts.
  std::optional<std::string> output_of(std::size_t source) const;

  // --- of the whole command
  std::optional<std::string_view> output;  // of -o
  std::string_view suffix;                 // of the file that is made without -o; empty: none
};

// True for names such as `gcc`, `c++`, `clang-14` and `x86_64-linux-gnu-g++-12`, without directory.
bool is_compiler_name(std::string_view name);

// `file`: the program that was executed. Returns nullopt if it is neither a compiler nor one behind
// ccache, distcc or sccache, or if it is a step that clang runs itself (`-cc1`). There are no
// sources if the command does not compile: it links, preprocesses or prints something. Sources in
// a response file (`@FILE`) are unknown.
std::optional<CompilerCommand> parse_compiler_command(std::string_view file,
                                                      std::span<const std::string_view> argv);

}  // namespace bpftrap
