// SPDX-License-Identifier: GPL-2.0-only
// Options shared by several commands, parsed into typed values.
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
#include "cli/table_options.h"
#include "core/output/output.h"
#include "core/output/output_file.h"
#include "core/output/sink.h"

// Declared here instead of included: see cli/command.h.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bpftrap {

// Hidden option with which words_of() passes each word after `--`, after `=:`. CLI11 itself does
// not report which words follow `--`.
inline constexpr const char* program_word_option = "--program-word";

enum class Color { automatic, always, never };

// Options for the output and the length of a trace.
struct OutputOptions {
  const OutputFormat* format = nullptr;  // null: the command's readable text
  std::string output;                    // path; empty: standard output (also `-`)
  bool append = false;                   // keep the content of that file
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
  TableOptions table;
  bool quiet = false;  // no records, only what --summary prints
  bool no_header = false;
  Color color = Color::automatic;
  bool summary = false;
  bool until_program_ends = false;  // the run that is summed up ends with its last process
  bool verbose = false;
  bool no_sandbox = false;
};

// Throws CLI::ValidationError with `text` as the whole message.
[[noreturn]] void refuse_usage(const std::string& text);

// Options added from here on appear under this heading in --help.
void begin_group(CLI::App& app, const char* name);

// Adds an option whose value `parse` converts. `parse` throws std::invalid_argument with half a
// sentence; the message puts the option and value before it.
CLI::Option* add_parsed_option(CLI::App& app, const char* names,
                               std::function<void(std::string_view)> parse, const char* description,
                               const char* value_name);

// Adds an option that may be repeated. `parse` sees each value in order.
CLI::Option* add_repeatable_option(CLI::App& app, const char* names,
                                   std::function<void(std::string_view)> parse,
                                   const char* description, const char* value_name);

// Refuses an empty path, which an unset variable of a script gives. For CLI::Option::check().
std::string refuse_empty_path(const std::string& path);

// Returns the option's name for messages: `--pid` for `-p,--pid`.
std::string_view long_name(std::string_view names);

// Refuses `option` together with an output format. Throws CLI::ValidationError.
void refuse_format(const OutputOptions& options, std::string_view option, std::string_view reason);

// Adds a flag. Unlike CLI::App::add_flag(), it refuses --flag=false.
void add_switch(CLI::App& app, const char* names, bool& flag, const char* description);

// Adds an option whose value is a path, which must not be empty. Unlike CLI::App::add_option(), it
// does not take a word of PROGRAM as its value.
void add_file_option(CLI::App& app, const char* names, std::string& path, const char* description);

void add_output_options(CLI::App& app, OutputOptions& options);

// Parts of add_output_options(): format, file, header and colour; --count; --timeout, --verbose and
// --no-sandbox.
void add_file_options(CLI::App& app, OutputOptions& options);
void add_count_option(CLI::App& app, OutputOptions& options);
void add_length_options(CLI::App& app, OutputOptions& options);

// Adds --output of a recording.
void add_recording_option(CLI::App& app, OutputOptions& options);

// Refuses output options that do not go together. Throws CLI::ValidationError.
void check_output_options(const OutputOptions& options);

// Subsets of add_output_options(): the formats' options (at most one may be given), --color and
// --verbose.
void add_format_options(CLI::App& app, OutputOptions& options,
                        std::span<const OutputFormat> formats = output_formats());
void add_verbose_option(CLI::App& app, OutputOptions& options);
void add_color_option(CLI::App& app, OutputOptions& options);

// Opens standard output or the file of --output. Waits for the reader of a FIFO, at most for
// --timeout. Returns null on timeout, or if `interrupt_fd` becomes readable. A new file belongs to
// `owner`, if given. Throws Error.
std::unique_ptr<Output> open_output(const OutputOptions& options, int interrupt_fd,
                                    const std::optional<FileOwner>& owner = {});

// True if --color, NO_COLOR and the output ask for colour.
bool wants_color(const OutputOptions& options, const Output& output);

// Returns the sink of the selected format, else that of `for_people`.
std::unique_ptr<Sink> make_sink(const OutputOptions& options, const SinkSetup& setup,
                                MakeSink for_people);

// Returns the sink of a trace, by default a table. With --summary, the sink also writes the
// summary. Throws Error if no kind has one of the columns.
std::unique_ptr<Sink> make_trace_sink(const OutputOptions& options, const SinkSetup& setup);

// Sets the examples at the end of --help.
void set_examples(CLI::App& app, const std::string& examples);

}  // namespace bpftrap
