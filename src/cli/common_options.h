// SPDX-License-Identifier: GPL-2.0-only
// Options that several commands have, parsed into typed values.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output_formats.h"
#include "core/output/output.h"
#include "core/output/sink.h"

// Declared rather than included: see cli/command.h.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bpftrap {

// The hidden option by which main() hands on each word after `--`, a colon before it: CLI11 itself
// does not tell what stood behind `--`.
inline constexpr const char* program_word_option = "--program-word";

enum class Color { automatic, always, never };

// How records are written, and until when.
struct OutputOptions {
  const OutputFormat* format = nullptr;  // null: the command's text for people
  std::string output;                    // empty: standard output, which `-` means as well
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
  bool no_header = false;
  Color color = Color::automatic;
  bool summary = false;
  bool verbose = false;
  bool no_sandbox = false;
};

// Throws CLI::ValidationError: `text` is the whole message.
[[noreturn]] void refuse_usage(const std::string& text);

// --help shows the options that are added from here on under this heading.
void begin_group(CLI::App& app, const char* name);

// An option with a value that `parse` turns into a typed one: it throws std::invalid_argument with
// the second half of a sentence, which is put behind the option and the value.
CLI::Option* add_parsed_option(CLI::App& app, const char* names,
                               std::function<void(std::string_view)> parse, const char* description,
                               const char* value_name);

// `--pid` of `-p,--pid`: an option's name in messages.
std::string_view long_name(std::string_view names);

// Refuses `option` together with an output format. Throws CLI::ValidationError.
void refuse_format(const OutputOptions& options, std::string_view option, std::string_view reason);

// A flag. CLI::App::add_flag() alone would accept --flag=false as well.
void add_switch(CLI::App& app, const char* names, bool& flag, const char* description);

// An option whose value is a path, which must not be empty. CLI::App::add_option() would take a
// word of PROGRAM's for it.
void add_file_option(CLI::App& app, const char* names, std::string& path, const char* description);

void add_output_options(CLI::App& app, OutputOptions& options);

// These are among the above: the options of the formats, of which only one may be given, --color
// and --verbose.
void add_format_options(CLI::App& app, OutputOptions& options,
                        std::span<const OutputFormat> formats = output_formats());
void add_verbose_option(CLI::App& app, OutputOptions& options);
void add_color_option(CLI::App& app, OutputOptions& options);

// Standard output or the file of --output. A FIFO that nobody reads yet is waited for as long as
// --timeout says, or until `interrupt_fd` gets readable: the result is null then. Throws Error.
std::unique_ptr<Output> open_output(const OutputOptions& options, int interrupt_fd);

// Whether --color, NO_COLOR and the output ask for colour.
bool wants_color(const OutputOptions& options, const Output& output);

// Makes the sink of the selected format, else `for_people`.
std::unique_ptr<Sink> make_sink(const OutputOptions& options, const SinkSetup& setup,
                                MakeSink for_people);

// The same for a trace, whose text for people is a table. With --summary the sink writes the
// summary, too. Throws Error if no kind has one of the columns.
std::unique_ptr<Sink> make_trace_sink(const OutputOptions& options, const SinkSetup& setup);

// --help ends with these.
void set_examples(CLI::App& app, const std::string& examples);

}  // namespace bpftrap
