// SPDX-License-Identifier: GPL-2.0-only
#include "cli/offered_values.h"

#include <CLI/CLI.hpp>

namespace bpftrap {

namespace {

// CLI11 keeps nothing of the user's in an option, except validators. An inactive one checks nothing
// and is not shown.
constexpr const char* validator_name = "offered values";

}  // namespace

CLI::Option* offer_values(CLI::Option* option, const std::vector<std::string>& values) {
  CLI::Validator validator;
  validator.name(validator_name).description(CLI::detail::join(values, ",")).active(false);
  return option->check(validator);
}

std::vector<std::string> offered_values(const CLI::Option* option) {
  try {
    // get_validator() is not const in CLI11 2.1, although it changes nothing.
    CLI::Validator validator = *const_cast<CLI::Option*>(option)->get_validator(validator_name);
    std::string joined = validator.active(true).get_description();
    return joined.empty() ? std::vector<std::string>() : CLI::detail::split(joined, ',');
  } catch (const CLI::OptionNotFound&) {
    return {};
  }
}

}  // namespace bpftrap
