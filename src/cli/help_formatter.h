// SPDX-License-Identifier: GPL-2.0-only
// Formats --help from the options of a CLI::App, wrapped at 80 columns.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bpftrap {

// The groups of the command's options in their order: that of --help comes last, because it is the
// same for all commands.
std::vector<std::string> option_groups(const CLI::App& app);

class HelpFormatter final : public CLI::FormatterBase {
 public:
  // `name` is the full command, such as `bpftrap exec`.
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace bpftrap
