// SPDX-License-Identifier: GPL-2.0-only
// Writes man pages and shell completions, during the build. One call writes one kind of them:
//   make_manual man DIRECTORY DOCS DATE VERSION
//   make_manual bash|zsh|fish FILE FUNCTIONS
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "completions.h"
#include "man_page.h"
#include "markdown.h"

namespace bpftrap::manual {

namespace {

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content << std::flush;
  if (!file) {
    throw std::runtime_error("cannot write " + path);
  }
}

void run(const std::vector<std::string>& words) {
  CommandEntry root = read_command_table();
  const std::string& kind = words.at(0);
  if (kind == "man") {
    ManSource source{std::move(root), words.at(2), words.at(3), words.at(4)};
    write_file(words.at(1) + "/" + page_name(source.root, source.root) + ".1",
               man_page(source, source.root));
    for (const CommandEntry& command : source.root.commands) {
      write_file(words.at(1) + "/" + page_name(source.root, command) + ".1",
                 man_page(source, command));
    }
    return;
  }
  auto table = kind == "bash" ? bash_completion : kind == "zsh" ? zsh_completion : fish_completion;
  write_file(words.at(1), table(with_help_command(root)) + read_file(words.at(2)));
}

}  // namespace

}  // namespace bpftrap::manual

int main(int argc, char** argv) {
  try {
    bpftrap::manual::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_manual: %s\n", error.what());
    return 1;
  }
  return 0;
}
