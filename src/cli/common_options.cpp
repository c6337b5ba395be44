// SPDX-License-Identifier: GPL-2.0-only
#include "cli/common_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <stdexcept>

#include "cli/offered_values.h"
#include "cli/recording.h"
#include "core/analysis/summary_report.h"
#include "core/analysis/summary_sink.h"
#include "core/os/error.h"
#include "core/output/quiet_sink.h"
#include "core/output/table_sink.h"
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
  throw std::invalid_argument("is not a choice; expected auto, always or never");
}

// Returns `--pid 1 --pid 2` for the option name and `1,2`.
std::string repeated(const std::string& name, std::string_view list) {
  std::string line;
  for (;;) {
    std::size_t comma = std::min(list.find(','), list.size());
    line += fmt::format("{} {}", name, list.substr(0, comma));
    if (comma == list.size()) {
      return line;
    }
    line += ' ';
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

void refuse_usage(const std::string& text) {
  throw CLI::ValidationError(text);
}

void begin_group(CLI::App& app, const char* name) {
  app.option_defaults()->group(name);
}

CLI::Option* add_parsed_option(CLI::App& app, const char* names,
                               std::function<void(std::string_view)> parse, const char* description,
                               const char* value_name) {
  std::string name(long_name(names));
  CLI::Option* option = app.add_option_function<std::string>(
      names,
      [parse = std::move(parse), name, value_name](const std::string& value) {
        // CLI11 takes the next word as the value, even a hidden option.
        if (value.starts_with(program_word_option)) {
          refuse_usage(fmt::format("{0}: a value is missing before `--`; expected {0} {1}", name,
                                   value_name));
        }
        try {
          parse(value);
        } catch (const std::invalid_argument& refused) {
          refuse_usage(fmt::format("{}: '{}' {}", name, value, refused.what()));
        }
      },
      description);
  return option->type_name(value_name);
}

std::string refuse_empty_path(const std::string& path) {
  return path.empty() ? "'' is not a file; expected a path" : "";
}

std::string_view long_name(std::string_view names) {
  return names.substr(names.rfind("--"));
}

void refuse_format(const OutputOptions& options, std::string_view option, std::string_view reason) {
  if (options.format != nullptr) {
    refuse_usage(fmt::format("{}: cannot be combined with {}, {}; expected one of them", option,
                             long_name(options.format->option), reason));
  }
}

void add_switch(CLI::App& app, const char* names, bool& flag, const char* description) {
  app.add_flag(names, flag, description)->disable_flag_override();
}

void add_file_option(CLI::App& app, const char* names, std::string& path, const char* description) {
  add_parsed_option(
      app, names,
      [&path](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument("is not a file; expected a path");
        }
        path = text;
      },
      description, "FILE");
}

void add_output_options(CLI::App& app, OutputOptions& options) {
  add_file_options(app, options);
  begin_group(app, "Tracing");
  add_count_option(app, options);
  add_length_options(app, options);
}

void add_file_options(CLI::App& app, OutputOptions& options) {
  begin_group(app, "Output");
  add_format_options(app, options);
  add_parsed_option(
      app, "-o,--output",
      [&options](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument("is not a file; expected a path, or - for standard output");
        }
        options.output = text == "-" ? "" : text;
      },
      "write to FILE; - is standard output", "FILE");
  add_switch(app, "--append", options.append, "add to the file of --output, keep its content");
  add_switch(app, "--no-header", options.no_header, "omit the header line");
  add_color_option(app, options);
}

void add_count_option(CLI::App& app, OutputOptions& options) {
  add_parsed_option(
      app, "-c,--count", [&options](std::string_view text) { options.count = parse_count(text); },
      "end after N records", "N");
}

void add_recording_option(CLI::App& app, OutputOptions& options) {
  begin_group(app, "Output");
  add_parsed_option(
      app, "-o,--output",
      [&options](std::string_view text) {
        if (text.empty() || text == "-") {
          throw std::invalid_argument("is not a file; expected a path");
        }
        options.output = text;
      },
      "write to FILE (default trace.bpftrap); an earlier recording becomes FILE.old", "FILE");
}

void add_length_options(CLI::App& app, OutputOptions& options) {
  using namespace std::chrono_literals;
  begin_group(app, "Tracing");
  add_parsed_option(
      app, "--timeout",
      [&options](std::string_view text) { options.timeout = parse_duration(text, 1s); },
      "end after this long (10s, 1h30m; a bare number is seconds)", "TIME");
  add_verbose_option(app, options);
  add_switch(app, "--no-sandbox", options.no_sandbox,
             "keep all privileges while tracing, for debugging");
}

void check_output_options(const OutputOptions& options) {
  if (options.append && options.output.empty()) {
    refuse_usage("--append: there is no file; expected --output FILE");
  }
}

void add_format_options(CLI::App& app, OutputOptions& options,
                        std::span<const OutputFormat> formats) {
  for (const OutputFormat& format : formats) {
    auto select = [&options, &format] {
      if (options.format != nullptr && options.format != &format) {
        refuse_usage(fmt::format("{}: cannot be combined with {}; expected one of them",
                                 long_name(format.option), long_name(options.format->option)));
      }
      options.format = &format;
    };
    app.add_flag_callback(format.option, select, format.description)->disable_flag_override();
  }
}

void add_verbose_option(CLI::App& app, OutputOptions& options) {
  add_switch(app, "-v,--verbose", options.verbose, "print libbpf's debug log on standard error");
}

void add_color_option(CLI::App& app, OutputOptions& options) {
  offer_values(
      add_parsed_option(
          app, "--color", [&options](std::string_view text) { options.color = parse_color(text); },
          "use colour: auto (default), always or never", "WHEN"),
      {"auto", "always", "never"});
}

std::unique_ptr<Output> open_output(const OutputOptions& options, int interrupt_fd,
                                    const std::optional<FileOwner>& owner) {
  if (options.output.empty()) {
    return std::make_unique<Output>();
  }
  if (is_recording_file(options.output)) {
    throw Error(fmt::format("refuse to write to '{}' (--output)", options.output), 0,
                "it is a recording: name another file");
  }
  UniqueFd file = open_output_file(options.output, {interrupt_fd, options.timeout}, owner,
                                   options.append ? OldContent::append_to : OldContent::drop);
  return file ? std::make_unique<Output>(std::move(file), options.output) : nullptr;
}

bool wants_color(const OutputOptions& options, const Output& output) {
  if (options.color != Color::automatic) {
    return options.color == Color::always;
  }
  // https://no-color.org: NO_COLOR counts if it is set and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return output.terminal() && (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::unique_ptr<Sink> make_sink(const OutputOptions& options, const SinkSetup& setup,
                                MakeSink for_people) {
  return (options.format != nullptr ? options.format->make : for_people)(setup);
}

std::unique_ptr<Sink> make_trace_sink(const OutputOptions& options, const SinkSetup& setup) {
  std::unique_ptr<Sink> sink = make_sink(options, setup, make<TableSink>);
  if (options.quiet) {
    sink = std::make_unique<QuietSink>(std::move(sink), setup.kinds);
  }
  if (!options.summary) {
    return sink;
  }
  auto report = [color = setup.color](const std::vector<SummaryRecord>& rows) {
    SummaryLook look{.color = color};
    look.columns = terminal_columns(STDERR_FILENO, look.columns);
    say_table(summary_report(rows, look));
  };
  SummaryOptions summary{static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN)),
                         options.until_program_ends};
  return std::make_unique<SummarySink>(std::move(sink), summary, report);
}

void set_examples(CLI::App& app, const std::string& examples) {
  app.footer("Examples:\n" + examples);
}

CLI::Option* add_repeatable_option(CLI::App& app, const char* names,
                                   std::function<void(std::string_view)> parse,
                                   const char* description, const char* value_name) {
  std::string name(long_name(names));
  auto parse_one = [name, parse = std::move(parse)](std::string_view text) {
    try {
      parse(text);
    } catch (const std::invalid_argument&) {
      if (text.find(',') == std::string_view::npos) {
        throw;
      }
      throw std::invalid_argument("is a list; expected " + repeated(name, text));
    }
  };
  return add_parsed_option(app, names, parse_one, description, value_name)
      ->take_all()
      ->trigger_on_parse();
}

}  // namespace bpftrap
