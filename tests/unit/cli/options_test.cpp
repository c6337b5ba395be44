// SPDX-License-Identifier: GPL-2.0-only
// Options are parsed to typed values, and those to the configuration of the BPF programs.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/name_glob.h"
#include "cli/suggest.h"
#include "cli/table_options.h"
#include "cli/trace_options.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;

constexpr Events of_exec{.execs = true, .exits = true};
constexpr Events of_exit{.exits = true, .every_exit = true};

TraceOptions parsed(const std::string& line, const Events& by_default = of_exec) {
  TraceOptions options;
  CLI::App app;
  add_trace_options(app, options, by_default);
  app.parse(line);
  check_together(options);
  return options;
}

std::string refused(const std::string& line) {
  try {
    parsed(line);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST(Options, NothingAsked) {
  bpftrap_scope scope = make_scope(parsed(""));
  EXPECT_EQ(scope.min_duration_ns, 0U);
  EXPECT_EQ(scope.filter_pids, 0U);
  EXPECT_EQ(scope.uids_count, 0U);
  EXPECT_EQ(scope.only_executed, 1U);
  EXPECT_EQ(scope.only_failed, 0U);
}

TEST(Options, MinDurationIsInMillisecondsWhenBare) {
  EXPECT_EQ(make_scope(parsed("--min-duration 100")).min_duration_ns, 100'000'000U);
  EXPECT_EQ(make_scope(parsed("-d 2s")).min_duration_ns, 2'000'000'000U);
}

TEST(Options, TimeoutIsInSecondsWhenBare) {
  EXPECT_EQ(parsed("--timeout 1.5").output.timeout, 1500ms);
}

TEST(Options, PidsAddUp) {
  TraceOptions options = parsed("-p 1 --pid 23 --pid 4711-98765");
  EXPECT_EQ(options.pids, (std::vector<PidOrId>{{1}, {23}, {4711, 98765}}));
  EXPECT_EQ(make_scope(options).filter_pids, 1U);
}

TEST(Options, UsersByNameAndNumber) {
  TraceOptions options = parsed("-u root --user 54321");
  EXPECT_EQ(options.uids, (std::vector<std::uint32_t>{0, 54321}));
  bpftrap_scope scope = make_scope(options);
  EXPECT_EQ(scope.uids_count, 2U);
  EXPECT_EQ(scope.uids[0], 0U);
  EXPECT_EQ(scope.uids[1], 54321U);
}

TEST(Options, AsManyUsersAsThereIsRoomFor) {
  std::string users;
  for (int i = 0; i < BPFTRAP_UIDS_MOST; ++i) {
    users += " -u 1";
  }
  EXPECT_EQ(make_scope(parsed(users)).uids_count, 16U);
  EXPECT_EQ(refused(users + " -u 1"), "--user: '1' is one too many; expected at most 16 users");
}

TEST(Options, NamesBecomeOneAutomaton) {
  TraceOptions options = parsed("-n make --name cc*");
  bpftrap_scope scope = make_scope(options);
  EXPECT_EQ(scope.filter_names, 1U);
  EXPECT_TRUE(globs_match(scope.names, "make"));
  EXPECT_TRUE(globs_match(scope.names, "cc1plus"));
  EXPECT_FALSE(globs_match(scope.names, "ld"));
}

TEST(Options, ExcludedNamesAreAnAutomatonOfTheirOwn) {
  bpftrap_scope scope = make_scope(parsed("-n cc* --exclude-name cc1 --exclude-name *plus"));
  EXPECT_EQ(scope.exclude_names, 1U);
  EXPECT_TRUE(globs_match(scope.excluded_names, "cc1"));
  EXPECT_TRUE(globs_match(scope.excluded_names, "cc1plus"));
  EXPECT_FALSE(globs_match(scope.excluded_names, "ccache"));
  EXPECT_TRUE(globs_match(scope.names, "cc1"));
  EXPECT_TRUE(bpftrap_keeps_verdicts(&scope));
  EXPECT_EQ(make_scope(parsed("-n cc*")).exclude_names, 0U);
}

TEST(Options, CgroupsAreCounted) {
  EXPECT_EQ(make_scope(parsed("-g /a --cgroup b")).cgroups_count, 2U);
  EXPECT_EQ(make_scope(parsed("")).cgroups_count, 0U);
}

TEST(Options, ATreeOrAProgramIsFollowed) {
  EXPECT_EQ(make_scope(parsed("")).follow, 0U);
  EXPECT_EQ(make_scope(parsed("--tree 7")).follow, 1U);
  TraceOptions options = parsed("--program-word=:make --program-word=:-j2 --program-word=:");
  EXPECT_EQ(options.program, (std::vector<std::string>{"make", "-j2", ""}));
  EXPECT_EQ(make_scope(options).follow, 1U);
}

TEST(Options, AForestHasForksReported) {
  TraceOptions options;
  EXPECT_EQ(make_scope(options).report_forks, 0U);
  options.forest = true;
  EXPECT_EQ(make_scope(options).report_forks, 1U);
  for (const Events& by_default : {of_exec, of_exit}) {
    EXPECT_TRUE(stream_options(parsed("--forest", by_default)).forest);
  }
  using Levels = Genealogy::Levels;
  EXPECT_EQ(stream_options(parsed("--forest")).levels, Levels::programs);
  EXPECT_EQ(stream_options(parsed("--forest --event +fork")).levels, Levels::processes);
  EXPECT_EQ(stream_options(parsed("--forest", of_exit)).levels, Levels::processes);
  EXPECT_EQ(refused("--forest --json"),
            "--forest: cannot be combined with --json, which has parent_id; expected one of them");
}

TEST(Options, AncestorsHaveForksAndExecsReported) {
  for (const char* line :
       {"--columns +ANCESTORS", "--columns PID,ANCESTORS", "--fail-on curl --program-word=:make"}) {
    EXPECT_EQ(make_scope(parsed(line)).report_forks, 1U) << line;
    EXPECT_EQ(make_scope(parsed(line)).report_execs, 1U) << line;
  }
  EXPECT_EQ(make_scope(parsed("--columns PID")).report_forks, 0U);
  EXPECT_EQ(make_scope(parsed("--forest")).report_execs, 0U);
  EXPECT_TRUE(stream_options(parsed("--columns +ANCESTORS")).ancestors);
  EXPECT_FALSE(stream_options(parsed("")).fail_on);
}

TEST(TraceOptions, AColumnIsAddedOnce) {
  using Names = std::vector<std::string_view>;
  TableOptions options{.columns = {"USER", "cwd"}, .added_columns = true};
  EXPECT_EQ(chosen_columns(options, {"TIME", "USER", "COMMAND"}),
            (Names{"TIME", "USER", "cwd", "COMMAND"}));
  EXPECT_EQ(chosen_columns(options, {"TIME", "COMMAND"}),
            (Names{"TIME", "USER", "cwd", "COMMAND"}));
  options.added_columns = false;
  EXPECT_EQ(chosen_columns(options, {"TIME", "COMMAND"}), (Names{"USER", "cwd"}));
}

TEST(Options, ProgramsOfFailOnAreGlobs) {
  TraceOptions options = parsed("--fail-on curl* --fail-on [xw]get --program-word=:make -q");
  FailOn::Matches matches = stream_options(options).fail_on;
  EXPECT_TRUE(matches("curl"));
  EXPECT_TRUE(matches("curl-" + std::string(250, 'x')));
  EXPECT_TRUE(matches("wget"));
  EXPECT_FALSE(matches("get"));
  EXPECT_FALSE(matches(""));
  EXPECT_EQ(refused("--fail-on curl"), "--fail-on: there is no PROGRAM; expected -- PROGRAM");
  EXPECT_EQ(refused("--fail-on /bin/curl --program-word=:make"),
            "--fail-on: '/bin/curl' has a /, but no base name has; expected a name such as 'curl'");
  EXPECT_EQ(refused("--program-word=:make -q"),
            "--quiet: nothing would be printed; expected --summary or --fail-on with it");
}

// Records to write, as letters: for(k)s, (e)xecs, (f)ailed execs, all ends (x) or only those of
// execs (o).
std::string written(const std::string& line, const Events& by_default) {
  ProcessStreamOptions stream = stream_options(parsed(line, by_default));
  std::string letters;
  letters += stream.write_forks ? "k" : "";
  letters += stream.write_execs ? "e" : "";
  letters += stream.write_failed_execs ? "f" : "";
  letters += !stream.write_exits ? "" : stream.exits_of_execs_only ? "o" : "x";
  return letters;
}

TEST(Options, EventsToPrint) {
  struct {
    const char* line;
    const char* exec;
    const char* exit;
  } const cases[] = {
      {"", "eo", "x"},
      {"--event exec", "e", "e"},
      {"--event failed", "f", "f"},
      {"--event exit", "x", "x"},
      {"--event exec,exit", "ex", "ex"},
      {"--event exec,fork,exit", "kex", "kex"},
      {"--event fork", "k", "k"},
      {"--event +fork", "keo", "kx"},
      {"--event exec,failed,exit,exit", "efx", "efx"},
      {"--event +exec", "eo", "ex"},
      {"--event +failed", "efo", "fx"},
      {"--event +exit", "ex", "x"},
      {"--failed", "fo", "fx"},
      {"-x --event exit", "x", "x"},
      {"-x --event failed", "f", "f"},
      {"-d 5s", "x", "x"},
      {"-d 5s --failed", "x", "x"},
      {"-d 5s --event exit", "x", "x"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(written(one.line, of_exec), one.exec) << "exec " << one.line;
    EXPECT_EQ(written(one.line, of_exit), one.exit) << "exit " << one.line;
  }
}

TEST(Options, EventsThatAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"--event ,",
       "--event: ',' is not a list of events; expected exec, failed, fork, exit, or +LIST"},
      {"--event +",
       "--event: '+' is not a list of events; expected exec, failed, fork, exit, or +LIST"},
      {"--event exec,",
       "--event: 'exec,' is not a list of events; expected exec, failed, fork, exit, or "
       "+LIST"},
      {"--event forks",
       "--event: 'forks' is not a list of events; expected exec, failed, fork, exit, or "
       "+LIST"},
      {"-x --event +fork",
       "--event: fork conflicts with --failed, which prints failures; expected "
       "failed, exit"},
      {"-d 1 --event fork,exit", "--event: --min-duration applies to ends only; expected exit"},
      {"-x --event exec,exit",
       "--event: exec conflicts with --failed, which prints failures; expected "
       "failed, exit"},
      {"-d 1 --event +failed", "--event: --min-duration applies to ends only; expected exit"},
      {"--summary --event exec",
       "--summary: needs the ends of processes; expected exit in --event"},
  };
  for (const auto& [line, text] : cases) {
    EXPECT_EQ(refused(line), text);
  }
}

TEST(Options, EventsDecideWhatTheKernelSends) {
  auto scope = [](const std::string& line, const Events& by_default) {
    return make_scope(parsed(line, by_default));
  };
  EXPECT_EQ(scope("", of_exec).only_executed, 1U);
  EXPECT_EQ(scope("", of_exit).only_executed, 0U);
  EXPECT_EQ(scope("--event +exit", of_exec).only_executed, 0U);
  EXPECT_EQ(scope("-x", of_exec).only_failed, 1U);
  EXPECT_EQ(scope("-x", of_exit).only_failed, 1U);
  EXPECT_EQ(scope("--event +failed", of_exec).only_failed, 0U);
  EXPECT_EQ(scope("--event +fork", of_exec).write_forks, 1U);
  EXPECT_EQ(scope("--event +fork", of_exec).report_forks, 0U) << "only those that pass the filters";
  EXPECT_EQ(scope("--forest", of_exec).write_forks, 0U);
  EXPECT_EQ(scope("", of_exec).keep_wanted, 1U);
  EXPECT_EQ(scope("", of_exit).keep_wanted, 0U);
  EXPECT_EQ(scope("-d 1", of_exec).keep_wanted, 0U);
  EXPECT_EQ(scope("--event +exec", of_exit).keep_wanted, 1U);
  EXPECT_EQ(scope("", of_exec).no_exits, 0U);
  EXPECT_EQ(scope("--event exec", of_exec).no_exits, 1U);
  EXPECT_EQ(scope("--event failed", of_exit).no_exits, 1U);
  EXPECT_EQ(scope("--event exec --forest", of_exec).no_exits, 1U);
  EXPECT_EQ(scope("--forest", of_exec).only_executed, 1U);
}

// Formats beside those that there are.
std::string with_two_formats(const std::string& line, OutputOptions& options) {
  static constexpr OutputFormat formats[] = {{"-a,--first", "", nullptr}, {"--other", "", nullptr}};
  CLI::App app;
  add_format_options(app, options, formats);
  try {
    app.parse(line);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "";
}

TEST(Options, OnlyOneFormat) {
  OutputOptions options;
  EXPECT_EQ(with_two_formats("--other", options), "");
  EXPECT_STREQ(options.format->option, "--other");
  EXPECT_NO_THROW(refuse_format({}, "--forest", "which has parent_id"));
  try {
    refuse_format(options, "--forest", "which has parent_id");
    FAIL() << "accepted";
  } catch (const CLI::ParseError& error) {
    EXPECT_STREQ(
        error.what(),
        "--forest: cannot be combined with --other, which has parent_id; expected one of them");
  }
  OutputOptions first_then_other, other_then_first, repeated;
  EXPECT_EQ(with_two_formats("-a --other", first_then_other),
            "--other: cannot be combined with --first; expected one of them");
  EXPECT_EQ(with_two_formats("--other --first", other_then_first),
            "--other: cannot be combined with --first; expected one of them");
  EXPECT_EQ(with_two_formats("-a -a", repeated), "");
}

TEST(Options, BufferSizeIsRoundedUp) {
  EXPECT_EQ(parsed("--buffer-size 64K").buffer_size, 65536U);
  EXPECT_EQ(parsed("--buffer-size 8K").buffer_size, 8192U);
  EXPECT_EQ(parsed("").buffer_size, std::uint64_t{8} << 20) << "docs/exec.md, README.md";
  EXPECT_EQ(ring_buffer_bytes(1, 4096), 4096U);
  EXPECT_EQ(ring_buffer_bytes(4096, 4096), 4096U);
  EXPECT_EQ(ring_buffer_bytes(4097, 4096), 8192U);
  EXPECT_EQ(ring_buffer_bytes(std::uint64_t{1} << 31, 4096), 1U << 31);
}

TEST(Options, RefusalsNameOptionValueAndWhatIsExpected) {
  for (const char* line : {"--pid 0", "--pid abc", "--user no-such-user", "--name [a", "--tree 0",
                           "--count 0", "--count -1", "--min-duration 5x", "--timeout 2562048h",
                           "--buffer-size 0", "--buffer-size 8191", "--buffer-size 3G", "--pid 1,2",
                           "--user root,daemon", "--timeout 0", "--name systemd-journald",
                           "--event forks", "--buffer-size 17179869184G", "--color green"}) {
    std::string text = refused(line);
    std::string option(line, std::string_view(line).find(' '));
    EXPECT_TRUE(text.starts_with(option + ": '")) << line << " → " << text;
    EXPECT_NE(text.find("; expected "), std::string::npos) << line << " → " << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << line << " → " << text;
  }
}

TEST(Options, AWordOfTheProgramIsNoValue) {
  EXPECT_EQ(refused("-o --program-word=:ls"),
            "--output: a value is missing before `--`; expected --output FILE");
  EXPECT_EQ(refused("--btf --program-word=:ls"),
            "--btf: a value is missing before `--`; expected --btf FILE");
  EXPECT_EQ(refused("--pid --program-word=:ls"),
            "--pid: a value is missing before `--`; expected --pid PID");
  EXPECT_EQ(parsed("-o out --program-word=:--program-word=:ls").program,
            std::vector<std::string>{"--program-word=:ls"});
}

TEST(Suggest, TheClosestWord) {
  std::vector<std::string> known{"hello", "exec", "exit"};
  EXPECT_EQ(did_you_mean("exce", known), "; did you mean 'exec'?");
  EXPECT_EQ(did_you_mean("exist", known), "; did you mean 'exit'?");
  EXPECT_EQ(did_you_mean("helo", known), "; did you mean 'hello'?");
  EXPECT_EQ(did_you_mean("frobnicate", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
}

TEST(Options, DetailsAreRecordedOnRequestOnly) {
  bpftrap_scope scope = make_scope(parsed(""));
  EXPECT_EQ(scope.env, 0U);
  EXPECT_EQ(scope.stdio, 0U);
  scope = make_scope(parsed("--stdio --env LD_* --env PATH"));
  EXPECT_EQ(scope.stdio, 1U);
  EXPECT_EQ(scope.env, 1U);
  EXPECT_TRUE(globs_match(scope.variables, "LD_PRELOAD"));
  EXPECT_TRUE(globs_match(scope.variables, "PATH"));
  EXPECT_FALSE(globs_match(scope.variables, "PATHS"));
  EXPECT_EQ(make_scope(parsed("--env A_NAME_OF_MORE_THAN_15_BYTES")).env, 1U);
}

TEST(Options, NoVariableHasAnEqualsSignInItsName) {
  EXPECT_EQ(
      refused("--env PATH=x"),
      "--env: 'PATH=x' has a =, but no name of a variable has; expected a name or a glob such "
      "as 'LD_*'");
}

TEST(Options, APatternOfAVariableHas63BytesAtMost) {
  EXPECT_EQ(refused("--env " + std::string(63, 'A')), "(accepted)");
  EXPECT_EQ(
      refused("--env " + std::string(64, 'A')),
      "--env: '" + std::string(64, 'A') + "' is one too many; expected fewer or shorter patterns");
}

}  // namespace
}  // namespace bpftrap
