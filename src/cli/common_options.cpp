// SPDX-License-Identifier: GPL-2.0-only
#include "cli/common_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <stdexcept>

#include "core/analysis/summary_sink.h"
#include "core/os/error.h"
#include "core/output/output_file.h"
#include "core/text/units.h"

namespace bpftrap {

namespace {

Color parse_color(std::string_view text) {
  if (text == "auto") {
    return Color::automatic;
  }
  if (text == "always") {
    return Color::always;
  }
  if (text == "never") {
    return Color::never;
  }
  throw std::invalid_argument("is no choice; accepted: auto, always, never");
}

}  // namespace

CLI::Option* add_parsed_option(CLI::App& app, const std::string& names,
                               std::function<void(std::string_view)> parse,
                               const std::string& description, const std::string& value_name) {
  std::string long_name = names.substr(names.rfind("--"));
  CLI::Option* option = app.add_option_function<std::string>(
      names,
      [parse = std::move(parse), long_name, value_name](const std::string& value) {
        // CLI11 takes the word that follows for the value, whatever it is.
        if (value.starts_with(program_word_option)) {
          throw CLI::ValidationError(
              fmt::format("{0}: no value before `--`; accepted: {0} {1}", long_name, value_name));
        }
        try {
          parse(value);
        } catch (const std::invalid_argument& refused) {
          throw CLI::ValidationError(fmt::format("{}: '{}' {}", long_name, value, refused.what()));
        }
      },
      description);
  return option->type_name(value_name);
}

void add_file_option(CLI::App& app, const std::string& names, std::string& path,
                     const std::string& description) {
  add_parsed_option(
      app, names,
      [&path](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument("is no file; accepted: a path");
        }
        path = text;
      },
      description, "FILE");
}

void add_output_options(CLI::App& app, OutputOptions& options) {
  using namespace std::chrono_literals;
  add_format_options(app, options);
  add_file_option(app, "-o,--output", options.output, "write to FILE instead of standard output");
  add_parsed_option(
      app, "-c,--count", [&options](std::string_view text) { options.count = parse_count(text); },
      "end after N records", "N");
  add_parsed_option(
      app, "--timeout",
      [&options](std::string_view text) { options.timeout = parse_duration(text, 1s); },
      "end after this long (ns, us, ms, s, m or h; bare: s)", "TIME");
  app.add_flag("-v,--verbose", options.verbose, "libbpf's debug log on standard error");
  app.add_flag_callback(
      "--no-sandbox", [&options] { options.sandbox = false; },
      "keep all privileges while tracing (for debugging)");
  app.add_flag_callback(
      "--no-header", [&options] { options.header = false; }, "no header line");
  add_color_option(app, options);
}

void add_format_options(CLI::App& app, OutputOptions& options) {
  for (const OutputFormat& format : output_formats()) {
    app.add_flag_callback(
        format.option, [&options, &format] { options.format = &format; }, format.description);
  }
}

void add_color_option(CLI::App& app, OutputOptions& options) {
  add_parsed_option(
      app, "--color", [&options](std::string_view text) { options.color = parse_color(text); },
      "auto (default), always, never", "WHEN");
}

std::unique_ptr<Output> open_output(const OutputOptions& options, int interrupt_fd) {
  if (options.output.empty()) {
    return std::make_unique<Output>();
  }
  UniqueFd file = open_output_file(options.output, {interrupt_fd, options.timeout});
  return file ? std::make_unique<Output>(std::move(file), options.output) : nullptr;
}

bool wants_color(const OutputOptions& options, const Output& output) {
  if (options.color != Color::automatic) {
    return options.color == Color::always;
  }
  // https://no-color.org: present and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return output.terminal() && (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::unique_ptr<Sink> make_sink(const OutputOptions& options, Output& output,
                                const WallClock& clock,
                                const std::function<std::unique_ptr<Sink>()>& make_for_people) {
  return options.format != nullptr ? options.format->make(output.buffer(), clock)
                                   : make_for_people();
}

std::unique_ptr<Sink> make_trace_sink(const OutputOptions& options, Output& output,
                                      const WallClock& clock, const std::vector<FieldTable>& kinds,
                                      const std::vector<std::string_view>& columns) {
  bool color = wants_color(options, output);
  std::unique_ptr<Sink> sink = make_sink(options, output, clock, [&] {
    return std::make_unique<TableSink>(output.buffer(), clock, kinds,
                                       TableStyle{columns, options.header, color});
  });
  if (!options.summary) {
    return sink;
  }
  return std::make_unique<SummarySink>(
      std::move(sink), [color](const Summary& summary) { say_table(summary.table(color)); });
}

void set_examples(CLI::App& app, const std::string& examples) {
  app.footer("Examples:\n" + examples);
}

}  // namespace bpftrap
