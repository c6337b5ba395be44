// SPDX-License-Identifier: GPL-2.0-only
// The report of `why slow` fits a terminal, and says what a person would conclude.
#include "core/analysis/slow_report.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "core/analysis/parallelism.h"
#include "core/analysis/slow_findings.h"
#include "core/analysis/slow_names.h"
#include "core/analysis/slow_records.h"
#include "core/os/error.h"
#include "core/output/json_sink.h"
#include "core/text/text.h"
#include "unit/analysis/made_run.h"

namespace bpftrap {
namespace {

using namespace std::literals;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::size_t end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return lines;
}

void expect_fits(const std::string& text) {
  std::vector<std::string> lines = lines_of(text);
  EXPECT_LE(lines.size(), 40U) << text;
  for (const std::string& line : lines) {
    EXPECT_LE(display_width(line), 80U) << line;
  }
}

// Four compilers on two CPUs, then a linker alone.
MadeRun build_of_a_project() {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "ninja all");
  for (int i = 0; i < 4; ++i) {
    Index cc = made.add(0, 10ms + 1ms * i, 6s + 1ms * i);
    made.execute(cc, 11ms + 1ms * i, "cc1plus -O2 -g src/file" + std::to_string(i) + ".cpp");
    made.at(cc).cpu.user = 2900ms;
    made.at(cc).cpu_wait = 3s;
  }
  Index link = made.add(0, 6010ms, 9990ms);
  made.execute(link, 6011ms, "lto1 -fltrans all.o");
  made.at(link).cpu.user = 3900ms;
  made.at(link).wait_status = 1 << 8;
  return made;
}

// Without the line feeds within a sentence.
std::string unwrapped(std::string text) {
  for (std::size_t at = text.find("\n    "); at != std::string::npos; at = text.find("\n    ")) {
    text.replace(at, 5, " ");
  }
  return text;
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  expect_fits(text);
  std::string whole = unwrapped(text);
  for (const std::string& part : parts) {
    EXPECT_NE(whole.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(SlowReport, SaysWhatAPersonConcludes) {
  MadeRun made = build_of_a_project();
  std::string text = slow_report(made.done(), 0);
  expect_parts(
      text,
      {"ninja all took 10.0s", "15.5s of CPU time: 1.6 of 2 CPUs busy", "6 processes, 1 failed",
       "no records lost", "share of time: 1 40%, 4+ 60%", "5.99s   2.90s   3.00s", "src/file3.cpp",
       "more CPUs: at best 7.00s instead of 10.0s, because the chain waited 3.00s (30%)",
       "at the end one process at a time ran, most of it lto1 -fltrans all.o"});
}

TEST(SlowReport, SharesOfTimeAreWhole) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "make");
  for (int i = 0; i < 4; ++i) {
    Index child = made.add(0, 1100ms + 2s * i, 9900ms);
    made.at(child).cpu.user = 8800ms - 2s * i;
  }
  std::string text = slow_report(made.done(), 0);
  expect_fits(text);
  expect_parts(text, {"none 12%, 1 20%, 2 20%, 3 20%, 4+ 28%"});
}

TEST(SlowReport, RunningRootAndLosses) {
  MadeRun made = build_of_a_project();
  made.at(0).ended = made.at(0).end_recorded = false;
  made.run.losses.push_back({BootTime(1s), 1, 2, 0, 3, 0});
  std::string text = slow_report(made.done(), 0);
  expect_parts(text, {"ninja all has taken 10.0s", "6 records lost", "3 ends were lost",
                      "1 fork was lost", "2 execs were lost"});
  // No end tells the account of the root, so the report claims no sleep of it.
  EXPECT_NE(text.find(" unknown"), std::string::npos) << text;
  EXPECT_EQ(text.find("the chain slept"), std::string::npos) << text;
}

TEST(SlowReport, RepetitionLookupsAndServers) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "sh build.sh");
  for (int i = 0; i < 5; ++i) {
    Index config = made.add(0, 1s * i + 10ms, 1s * i + 900ms);
    made.execute(config, 1s * i + 11ms, "pkg-config --libs glib");
  }
  Index compiler = made.add(0, 6s, 9s);
  for (int i = 0; i < 12; ++i) {
    made.execute(compiler, 6s + 1ms * i, "gcc x", ENOENT);
  }
  made.execute(compiler, 6100ms, "ccache gcc x.c");
  std::string text = slow_report(made.done(), 0);
  expect_parts(text,
               {"5 times the same, 4.44s in all: pkg-config --libs glib",
                "12 execs of files that do not exist, such as /bin/gcc", "ccache may have left"});
}

TEST(SlowReport, PipelineAndPolling) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "sh -c x");
  Index writer = made.add(0, 10ms, 4s);
  Index reader = made.add(0, 11ms, 5s);
  TextId pipe = made.run.texts.add("pipe:[7]");
  made.execute(writer, 12ms, "find /").standard_files[1] = pipe;
  made.execute(reader, 12ms, "sort").standard_files[0] = pipe;
  Index job = made.add(0, 5100ms, 8s);
  made.execute(job, 5101ms, "job");
  Index next = made.add(0, 8100ms, 9s);
  made.at(next).at_birth.voluntary_switches = 10;
  made.at(next).at_end.voluntary_switches = 11;
  made.at(reader).at_end.voluntary_switches = 5;
  made.at(job).at_birth.voluntary_switches = 6;
  made.at(job).at_end.voluntary_switches = 9;
  made.at(0).voluntary_switches = 20;
  std::string text = slow_report(made.done(), 0);
  expect_parts(text, {"pipeline: find / feeds sort",
                      "seems to poll: after the end of a child it slept on, 3"});
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  std::string whole = unwrapped(text);
  for (std::size_t at = whole.find(part); at != std::string::npos; at = whole.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(SlowReport, ManyShortProcesses) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "sh check.sh");
  for (int i = 0; i < 1000; ++i) {
    made.execute(made.add(0, 9ms * i + 10ms, 9ms * i + 13ms), 9ms * i + 11ms, "cut -f 1");
  }
  expect_parts(slow_report(made.done(), 0), {"fewer processes: 1000 times cut, 3.00s (30%) of"});
}

// A directory gives way to the word that tells a command from others.
TEST(SlowNames, PrefersAWordToTheDirectory) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "ninja all");
  for (int i = 0; i < 3; ++i) {
    Index cc = made.add(0, 1s * i, 1s * i + 900ms);
    std::string file = "a_source_file_" + std::to_string(i) + ".cpp";
    made.execute(cc, 1s * i + 1ms, "/usr/lib/cc1plus -quiet -O2 -g -std=c++20 " + file + " -x y")
        .cwd = made.run.texts.add("/src/directory");
  }
  SlowNames names(made.done(), 0);
  EXPECT_EQ(names.of(Index{2}, 40), "cc1plus … a_source_file_1.cpp …");
  EXPECT_EQ(names.of(Index{2}, 60), "cc1plus … a_source_file_1.cpp … in directory");
  // Without such a word, the beginning of the command, but not the path of the program.
  made.run.execs[1].args = made.run.execs[3].args = made.run.execs[2].args;
  EXPECT_EQ(SlowNames(made.run, 0).of(Index{2}, 30), "cc1plus -quiet -O2 -g -std=c+…");
  made.run.execs[0].args =
      made.run.texts.add(std::string_view("sh\0-c\0first; second; third\0", 27));
  EXPECT_EQ(SlowNames(made.run, 0).of(Index{0}, 20), "sh -c 'first; secon…");
}

// A reader that is on the path several times, and a pipeline that runs several times.
TEST(SlowReport, NamesAPipelineOnce) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "sh -c x");
  for (int i = 0; i < 3; ++i) {
    auto start = 3s * i + 10ms;
    Index writer = made.add(0, start, start + 2s);
    Index reader = made.add(0, start + 1ms, start + 2900ms);
    TextId pipe = made.run.texts.add("pipe:[" + std::to_string(7 + i) + "]");
    made.execute(writer, start + 2ms, "find /").standard_files[1] = pipe;
    made.execute(reader, start + 2ms, "xargs cc").standard_files[0] = pipe;
    for (int job = 1; job < 4; ++job) {
      Index child = made.add(reader, start + 600ms * job, start + 600ms * job + 200ms);
      made.execute(child, start + 600ms * job, "cc x.c").standard_files[0] = pipe;
    }
  }
  std::string text = slow_report(made.done(), 0);
  EXPECT_EQ(count_of(text, "pipeline: find / feeds xargs cc"), 1U) << text;
  EXPECT_EQ(count_of(text, "pipeline"), 1U) << text;
}

TEST(SlowReport, SuspectsAPipelineWithoutStandardFiles) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1ms, "sh -c x");
  Index writer = made.add(0, 10ms, 4s);
  made.execute(writer, 12ms, "find /");
  Index reader = made.add(0, 11ms, 5s);
  made.execute(reader, 12ms, "sort");
  Index later = made.add(0, 5100ms, 9s);
  made.execute(later, 5101ms, "job");
  std::string hint = "sort may be part of a pipeline: record --stdio tells who feeds it";
  std::string text = slow_report(made.done(), 0);
  EXPECT_EQ(count_of(text, hint), 1U) << text;
  EXPECT_EQ(count_of(text, "pipeline"), 1U) << text;
  // Jobs of make are no pipeline, nor is anything if standard files are recorded.
  made.run.execs[0].args = made.run.texts.add(std::string_view("make\0", 5));
  EXPECT_EQ(count_of(slow_report(made.run, 0), "pipeline"), 0U);
  made.run.execs[0].args = made.run.texts.add(std::string_view("sh\0", 3));
  made.run.execs[1].standard_files[1] = made.run.texts.add("/dev/null");
  EXPECT_EQ(count_of(slow_report(made.run, 0), "pipeline"), 0U);
}

// A name is that of the time, and none if no record tells it.
TEST(SlowReport, NameOfASegmentIsThatOfItsTime) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  made.execute(0, 1s, "sh build.sh");
  made.execute(0, 4s, "make all");
  RecordedRun& run = made.done();
  auto names = [&run] {
    std::string text;
    for (const Segment& segment : critical_path(run, 0).segments) {
      text += std::string(record_of(run, segment).comm.value_or("?")) + " ";
    }
    return text;
  };
  EXPECT_EQ(names(), "p0 sh make ");
  run.processes[0].comm = run.texts.add("renamed");
  run.processes[0].birth_comm = TextId::none;
  EXPECT_EQ(names(), "? sh renamed ");
}

TEST(SlowReport, RefusesARunWithoutProgram) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  EXPECT_THROW(program_of(made.done()), Error);
  made.run.program = 0;
  EXPECT_EQ(program_of(made.run), 0U);
}

// Names, arguments and directories of any bytes and length.
TEST(SlowReport, FitsWithAnyRun) {
  std::mt19937_64 random(22);
  for (int round = 0; round < 100; ++round) {
    MadeRun made;
    auto time = [&] { return MadeRun::ns(random() % 100'000) * 1000; };
    std::size_t count = 1 + random() % 60;
    for (std::size_t i = 0; i < count; ++i) {
      MadeRun::ns start = time();
      Index index =
          made.add(i == 0 ? no_index : static_cast<Index>(random() % i), start, start + time());
      made.at(index).cpu.user = time();
      made.at(index).cpu_wait = time();
      made.at(index).comm = made.run.texts.add("\x1b[2J\xff long name");
      std::string args;
      for (std::size_t words = random() % 9; words > 0; --words) {
        args += std::string(random() % 120, static_cast<char>(random() % 255 + 1)) + " ";
      }
      RunExec& exec = made.execute(index, start + 1us, args);
      exec.cwd = made.run.texts.add("/" + std::string(random() % 100, 'd'));
    }
    if (random() % 2 == 0) {
      made.run.losses.push_back({BootTime(1ms), 1, 1, 1, 1, 1});
    }
    std::string text = slow_report(made.done(), 0);
    expect_fits(text);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    ASSERT_FALSE(HasFailure()) << "round " << round << "\n" << text;
  }
}

TEST(SlowReport, JsonHasTheRunAndItsSegments) {
  MadeRun made = build_of_a_project();
  std::string out;
  JsonSink sink({out, made.run.clock});
  write_slow_records(made.done(), 0, sink);
  std::vector<std::string> lines = lines_of(out);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], R"({"event":"run","wall_ns":10000000000,"cpu_ns":15500000000,)"
                      R"("cpu_wait_ns":12000000000,"cpus":2,"processes":6,"failed":1,"lost":0})");
  EXPECT_EQ(lines[2], R"({"event":"segment","id":"104-13000000","pid":104,"comm":"cc1plus",)"
                      R"("args":["cc1plus","-O2","-g","src/file3.cpp"],"cwd":"/src",)"
                      R"("start_boot_ns":13000000,"duration_ns":5990000000,"cpu_ns":2900000000,)"
                      R"("cpu_wait_ns":3000000000,"blocked_ns":90000000,"estimated":false})");
}

TEST(Parallelism, SharesAndStretches) {
  MadeRun made;
  made.add(no_index, 0ms, 1s);
  for (int i = 0; i < 3; ++i) {
    Index index = made.add(0, 100ms, 400ms);
    made.at(index).cpu.user = 300ms;
  }
  Index alone = made.add(0, 500ms, 900ms);
  made.at(alone).cpu.user = 400ms;
  RecordedRun& run = made.done();
  Parallelism parallelism(run, descendants(run, 0), BootTime(0ms), BootTime(1s));
  std::vector<double> shares = parallelism.shares(4);
  EXPECT_NEAR(shares[0], 0.3, 0.01);
  EXPECT_NEAR(shares[1], 0.4, 0.01);
  EXPECT_NEAR(shares[3], 0.3, 0.01);
  std::vector<Parallelism::Stretch> stretches = parallelism.serial_stretches(50ms);
  ASSERT_EQ(stretches.size(), 2U);
  EXPECT_NEAR(static_cast<double>(stretches[0].duration() / 1ms), 600, 3);
  EXPECT_NEAR(stretches[0].running, 0.67, 0.02);
  EXPECT_NEAR(static_cast<double>(stretches[1].duration() / 1ms), 100, 3);
  EXPECT_NEAR(stretches[1].running, 0, 0.01);
}

}  // namespace
}  // namespace bpftrap
