// SPDX-License-Identifier: GPL-2.0-only
#include "core/export/compile_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "core/export/compiler_command.h"
#include "core/os/split.h"
#include "core/output/json_line.h"

namespace bpftrap {

namespace {

// The entry of one of the sources. Its arguments name no other source, because an entry is the
// command for one file.
std::string describe(const CompilerCommand& command, std::size_t source, std::string_view directory,
                     const std::optional<std::string>& output) {
  JsonLine line;
  auto add = [&line](std::string_view key, std::string_view value) {
    line.raw(key);
    line.string(value);
  };
  add("{\"directory\":", directory);
  add(",\"file\":", command.arguments[source]);
  if (output) {
    add(",\"output\":", *output);
  }
  std::string_view separator = ",\"arguments\":[";
  auto next_source = command.sources.begin();
  for (std::size_t at = 0; at < command.arguments.size(); ++at) {
    bool is_source = next_source != command.sources.end() && *next_source == at;
    next_source += is_source ? 1 : 0;
    if (at == source || !is_source) {
      add(separator, command.arguments[at]);
      separator = ",";
    }
  }
  line.raw("]}");
  return std::string(line.text());
}

// Each entry repeats the directory and the arguments that are no sources.
bool is_too_long(const CompilerCommand& command, std::string_view directory) {
  constexpr std::size_t bytes_most = std::size_t{8} << 20;
  std::size_t others = 0;
  for (std::string_view argument : command.arguments) {
    others += argument.size() + 1;
  }
  for (std::size_t source : command.sources) {
    others -= command.arguments[source].size() + 1;
  }
  // To walk over an argument costs a part of what repeating a byte does.
  others += 2 * directory.size() + command.arguments.size() / 16;
  return others * command.sources.size() > bytes_most;
}

}  // namespace

void CompileCommands::write(const RecordView& record) {
  if (const auto* exec = record.get_if<ExecRecord>()) {
    take(*exec);
  } else if (const auto* fork = record.get_if<ForkRecord>()) {
    take(*fork);
  } else if (const auto* exit = record.get_if<ExitRecord>()) {
    compiling_.erase(exit->process.id);
  } else if (const auto* lost = record.get_if<LostRecord>()) {
    say_lost(*lost);
  }
}

bool CompileCommands::is_step(const Process& process) const {
  auto own = compiling_.find(process.id);
  return (own != compiling_.end() && own->second.is_step) || compiling_.contains(process.parent);
}

void CompileCommands::take(const ForkRecord& fork) {
  if (is_step(fork.process)) {
    compiling_[fork.process.id].is_step = true;
  }
}

void CompileCommands::take(const ExecRecord& exec) {
  // A script is no compiler, but the program that it runs may be one.
  if (exec.error != 0 || exec.interp || !exec.args) {
    return;
  }
  if (is_step(exec.process)) {
    compiling_[exec.process.id].is_step = true;
    return;
  }
  std::vector<std::string_view> argv = split(exec.args->bytes, '\0');
  std::optional<CompilerCommand> command =
      parse_compiler_command(exec.filename.value_or(usable_path(exec.exe).value_or("")), argv);
  if (!command) {
    return;
  }
  Compiling& process = compiling_[exec.process.id];
  std::optional<std::string_view> directory = usable_path(exec.cwd);
  if (exec.args->truncated || (!directory && !command->sources.empty()) ||
      is_too_long(*command, directory.value_or(""))) {
    ++incomplete_;
    return;
  }
  if (command->sources.empty()) {
    return;
  }
  // The process executed another compiler before, which was a wrapper of this one.
  for (std::size_t place : std::exchange(process.entries, {})) {
    entries_[place].clear();
  }
  for (std::size_t source : command->sources) {
    std::optional<std::string> output = command->output_of(source);
    std::string key(*directory);
    key.append(1, '\0').append(command->arguments[source]).append(1, '\0');
    key += output.value_or(std::string());
    process.entries.push_back(add(key, describe(*command, source, *directory, output)));
  }
}

std::size_t CompileCommands::add(const std::string& key, std::string&& json) {
  auto [found, is_new] = places_.try_emplace(key, entries_.size());
  if (is_new) {
    entries_.push_back(std::move(json));
  } else {
    entries_[found->second] = std::move(json);
  }
  return found->second;
}

void CompileCommands::finish() {
  std::string_view separator = "[\n";
  for (const std::string& entry : entries_) {
    if (!entry.empty()) {
      out_ += separator;
      out_ += entry;
      separator = ",\n";
      ++written_;
    }
  }
  out_ += written_ == 0 ? "[]\n" : "\n]\n";
}

std::string CompileCommands::summary() const {
  std::string text = fmt::format("{} entr{}", written_, written_ == 1 ? "y" : "ies");
  if (incomplete_ > 0) {
    text += fmt::format("; {} command{} left out, because {} recorded in part only, or too long",
                        incomplete_, incomplete_ == 1 ? " is" : "s are",
                        incomplete_ == 1 ? "it was" : "they were");
  }
  return text;
}

}  // namespace bpftrap
