// SPDX-License-Identifier: GPL-2.0-only
// From the command line to options: whole lines as main() reads them, without running a command,
// and each word as a value of every type. An input has one word per line. A vertical tab stands for
// a line feed in a word.
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "cli/command_line.h"
#include "cli/name_glob.h"
#include "cli/trace_options.h"
#include "core/text/units.h"
#include "fuzz/checks.h"
#include "fuzz/decimal.h"

namespace bpftrap {

namespace {

using fuzz::require;
using std::chrono::nanoseconds;

using Words = std::vector<std::string>;

Words words_in(std::string_view input) {
  Words words = fuzz::split(input, '\n');
  for (std::string& word : words) {
    word.resize(std::min(word.find('\0'), word.size()));  // where argv would end
    std::replace(word.begin(), word.end(), '\v', '\n');
  }
  return words;
}

std::vector<const char*> argv_of(const Words& words, std::size_t from = 0) {
  std::vector<const char*> argv{"bpftrap"};
  for (std::size_t i = from; i < words.size(); ++i) {
    argv.push_back(words[i].c_str());
  }
  return argv;
}

// The value of the word, or empty if `parse` refuses it. A refusal must name the accepted form.
template <class Parse>
auto value_of(const std::string& word, Parse&& parse) -> std::optional<decltype(parse(word))> {
  try {
    return parse(word);
  } catch (const std::invalid_argument& refused) {
    require(std::string_view(refused.what()).find_first_of(";") != std::string_view::npos,
            "a refusal names the accepted form", refused.what());
    return std::nullopt;
  }
}

void check_duration(const std::string& word, nanoseconds bare_unit) {
  auto value = value_of(word, [&](const std::string& w) { return parse_duration(w, bare_unit); });
  std::optional<std::string> expected =
      fuzz::duration_in_ns(word, static_cast<std::uint64_t>(bare_unit.count()));
  require(value.has_value() == expected.has_value(), "accepted times are the documented ones",
          word);
  if (!value) {
    return;
  }
  // Only 18 digits of a fraction count. Each fraction may therefore lose a nanosecond.
  std::string found = std::to_string(value->count());
  auto fractions = static_cast<std::uint64_t>(std::count(word.begin(), word.end(), '.'));
  std::uint64_t cut = std::stoull(*expected) - static_cast<std::uint64_t>(value->count());
  require(cut == 0 || (word.size() > 18 && cut <= fractions), "a time has its exact value",
          word + " = " + found);
  require(parse_duration(found + "ns", bare_unit) == *value, "a time reads back", found);
  if (*value >= std::chrono::milliseconds(1)) {
    require(parse_duration(std::to_string(value->count() / 1'000'000) + "ms", bare_unit) ==
                std::chrono::floor<std::chrono::milliseconds>(*value),
            "a time in milliseconds reads back", found);
  }
}

void check_numbers(const std::string& word) {
  auto compare = [&](const char* promise, auto value, const std::optional<std::string>& expected) {
    require(value.has_value() == expected.has_value(), promise, word);
    require(!value || std::to_string(*value) == *expected, promise, word);
  };
  compare("a size is what it says", value_of(word, parse_size), fuzz::size_in_bytes(word));
  compare("a count is what it says", value_of(word, parse_count),
          fuzz::whole_number(word, "1", "18446744073709551615"));
  compare("a process id is what it says", value_of(word, parse_pid),
          fuzz::whole_number(word, "1", "4194304"));
}

// fnmatch(3) supports more in brackets: character classes, and a backslash as escape.
bool means_the_same_to_fnmatch(const std::string& glob) {
  return glob.find('[') == std::string::npos ||
         (glob.find('\\') == std::string::npos && glob.find("[:") == std::string::npos &&
          glob.find("[.") == std::string::npos && glob.find("[=") == std::string::npos);
}

std::optional<bpftrap_globs> compiled(const Words& globs) {
  try {
    return compile_globs(globs);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

// Candidate names for a match: some words, and the glob with its stars removed or filled in. Any
// byte is tried for a part that matches one byte.
Words names_for(const std::string& glob, const Words& words) {
  Words names(words.begin(), words.begin() + std::min<std::ptrdiff_t>(8, std::ssize(words)));
  std::string bare;
  std::string filled;
  for (char c : glob) {
    bare += c == '*' || c == '\\' ? "" : std::string(1, c);
    filled += c == '*' || c == '?' ? 'x' : c;
  }
  names.insert(names.end(), {"", bare, filled});
  bool sets = glob.find_first_of("?[") != std::string::npos;
  for (int byte = 1; sets && byte < 256; ++byte) {
    names.emplace_back(1, static_cast<char>(byte));
  }
  return names;
}

void check_glob(const std::string& glob, const bpftrap_globs& globs, const Words& words) {
  require(!glob.empty(), "an empty glob is refused");
  if (!means_the_same_to_fnmatch(glob)) {
    return;
  }
  for (const std::string& name : names_for(glob, words)) {
    require(globs_match(globs, name) == (::fnmatch(glob.c_str(), name.c_str(), 0) == 0),
            "a glob agrees with fnmatch()", glob + " on " + name);
  }
}

void check_globs(const Words& words) {
  Words accepted;
  std::vector<bpftrap_globs> each;
  for (const std::string& glob : words) {
    if (std::optional<bpftrap_globs> globs = compiled({glob})) {
      check_glob(glob, *globs, words);
      accepted.push_back(glob);
      each.push_back(*globs);
    }
  }
  if (std::optional<bpftrap_globs> all = compiled(accepted)) {
    for (const std::string& name : words) {
      bool any = std::any_of(each.begin(), each.end(),
                             [&](const bpftrap_globs& globs) { return globs_match(globs, name); });
      require(globs_match(*all, name) == any, "several globs match what any of them matches", name);
    }
  }
}

bool is_refusal(const std::string& text) {
  return text.find("expected ") != std::string::npos ||
         text.find("see `bpftrap") != std::string::npos;
}

// Parts of CLI11's own messages (CLI/Error.hpp), which bpftrap must not print.
constexpr std::string_view raw_sentences[] = {
    " required",  "Could not convert", "not expected",      "requires",   " excludes ",
    "an allowed", "too many inputs",   "flag override",     "true/false", "subcommand",
    " arguments", "Too many",          "Expected ",         "INI ",       "unrecognized",
    "not found",  "should not see",    "Successfully comp", "be caught"};

void require_own_words(const std::string& text, const Words& words) {
  for (std::string_view piece : raw_sentences) {
    bool of_user = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return word.find(piece) != std::string::npos;
    });
    require(of_user || text.find(piece) == std::string::npos, "a refusal has no message of CLI11",
            text);
  }
}

bool has_program(const Words& words) {
  auto marker = std::find(words.begin(), words.end(), "--");
  return words.end() - marker > 1;
}

// These commands take no program, so their status is none of a program.
bool takes_program(const Words& words) {
  constexpr std::string_view others[] = {"hello", "show", "diff", "doctor"};
  return words.empty() ||
         std::find(std::begin(others), std::end(others), words.front()) == std::end(others);
}

// Returns true if there is a command to run.
bool check_line(const Words& words) {
  std::vector<const char*> argv = argv_of(words);
  Invocation line = read_command_line(static_cast<int>(argv.size()), argv.data());
  require((line.run != nullptr) == line.text.empty(), "a line is run, or has a message");
  if (line.status != 0) {
    require(line.status == (has_program(words) && takes_program(words) ? 125 : 2),
            "the status of a wrong command line");
    require(is_refusal(line.text), "a refusal names what is expected", line.text);
    require_own_words(line.text, words);
    fuzz::require_terminal_safe(line.text);
  }
  return line.run != nullptr;
}

void check_values(const TraceOptions& options, const Words& words) {
  auto pid = [](std::uint32_t value) { return value >= 1 && value <= 4194304; };
  require(std::all_of(options.pids.begin(), options.pids.end(),
                      [&](const PidOrId& value) { return pid(value.pid); }),
          "--pid is a valid pid");
  require(std::all_of(options.trees.begin(), options.trees.end(), pid), "--tree is a valid pid");
  require(std::find(options.uids.begin(), options.uids.end(), UINT32_MAX) == options.uids.end(),
          "--user is never the invalid uid");
  require(options.uids.size() <= BPFTRAP_UIDS_MOST, "--user within its maximum");
  require(options.cgroups.size() <= BPFTRAP_CGROUPS_MOST, "--cgroup within its maximum");
  require(!options.output.count || *options.output.count > 0, "--count is positive");
  require(!options.min_duration || options.min_duration->count() > 0, "--min-duration is a time");
  require(!options.output.timeout || options.output.timeout->count() > 0, "--timeout is a time");
  std::uint32_t buffer = ring_buffer_bytes(options.buffer_size, 4096);
  require(std::has_single_bit(buffer) && buffer >= options.buffer_size && buffer >= 4096,
          "the ring buffer is a power of two, and not smaller than requested",
          std::to_string(buffer));

  auto marker = std::find(words.begin(), words.end(), "--");
  Words program(marker == words.end() ? marker : marker + 1, words.end());
  require(options.program == program, "PROGRAM is the part behind `--`");

  Events events = chosen_events(options);
  require(events.execs || events.failed_execs || events.exits || events.forks,
          "some events are printed");
  require(!options.failed || !events.execs, "an exec that succeeded is not a failure");
  bpftrap_scope scope = make_scope(options);
  require((scope.filter_pids != 0) == !options.pids.empty(), "--pid filters");
  require(scope.uids_count == options.uids.size(), "--user filters");
  require((scope.filter_names != 0) == !options.names.empty(), "--name filters");
  require((scope.exclude_names != 0) == !options.excluded_names.empty(), "--exclude-name filters");
  require(scope.cgroups_count == options.cgroups.size(), "--cgroup filters");
  require((scope.follow != 0) == !(options.trees.empty() && options.program.empty()),
          "--tree and PROGRAM are followed");
}

// Checks an accepted line of a command that has the options of `exec` and `exit`.
void check_options(const Words& words) {
  TraceOptions options;
  CLI::App app;
  add_trace_options(app, options, {.execs = true, .exits = true});
  std::vector<const char*> argv = argv_of(words, 1);
  std::vector<std::string> parsed = words_of(static_cast<int>(argv.size()), argv.data());
  try {
    app.parse(parsed);
  } catch (const CLI::ParseError& wrong) {
    require(false, "options mean the same with a command", wrong.what());
  }
  check_values(options, Words(words.begin() + 1, words.end()));
}

}  // namespace

}  // namespace bpftrap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bpftrap;
  Words words = words_in(fuzz::text_of(data, size));
  if (check_line(words) && (words[0] == "exec" || words[0] == "exit")) {
    check_options(words);
  }
  for (const std::string& word : words) {
    // For `--count=5` this is the part after `=`.
    std::string value = word.substr(word.starts_with("--") ? word.find('=') + 1 : 0);
    check_duration(value, std::chrono::milliseconds(1));
    check_duration(value, std::chrono::seconds(1));
    check_numbers(value);
  }
  check_globs(words);
  return 0;
}
