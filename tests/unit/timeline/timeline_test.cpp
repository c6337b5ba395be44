// SPDX-License-Identifier: GPL-2.0-only
// The page of the timeline: what a browser reads from it. Decoded with zlib and RapidJSON;
// tests/web looks at the page itself.
#include "core/timeline/timeline.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <zlib.h>

#include <array>
#include <numeric>

#include "core/analysis/run_builder.h"
#include "unit/recording/golden.h"

namespace bpftrap {
namespace {

using namespace std::literals;

BootTime at(std::chrono::nanoseconds time) {
  return BootTime(time);
}

std::string page_of(const RecordedRun& run, const std::vector<TimelineSegment>& chain = {}) {
  std::string page;
  write_timeline(run, chain, [&page](std::string_view text) { page += text; });
  return page;
}

std::string_view element_of(std::string_view page) {
  constexpr std::string_view begin = "<script id=\"data\" type=\"application/octet-stream\">";
  std::size_t from = page.find(begin);
  EXPECT_NE(from, std::string_view::npos);
  page.remove_prefix(from + begin.size());
  return page.substr(0, page.find('<'));
}

std::string from_base64(std::string_view text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text.substr(0, text.find('='))) {
    std::size_t digit = digits.find(c);
    EXPECT_NE(digit, std::string_view::npos) << "no base64: " << c;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count);
    }
  }
  return bytes;
}

std::string inflated(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 65536> piece;
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  inflateEnd(&stream);
  return out;
}

// The data of a page.
class Data {
 public:
  explicit Data(std::string_view page) {
    std::string content = inflated(from_base64(element_of(page)));
    std::size_t end = content.find('\n');
    json_.Parse(content.data(), end);
    EXPECT_FALSE(json_.HasParseError());
    std::size_t from = end + 1;
    for (const auto& size : json_["texts"].GetArray()) {
      texts_.push_back(content.substr(from, size.GetUint64()));
      from += size.GetUint64();
    }
    EXPECT_EQ(from, content.size());
  }

  const rapidjson::Value& operator[](const char* key) const { return json_[key]; }
  const rapidjson::Value& process(const char* key, unsigned i) const {
    return json_["processes"][key][i];
  }
  const rapidjson::Value& exec(const char* key, unsigned i) const { return json_["execs"][key][i]; }
  std::string text(const rapidjson::Value& number) const {
    return number.GetInt() < 0 ? "-" : texts_.at(number.GetUint());
  }
  unsigned size() const { return json_["processes"]["pid"].Size(); }

 private:
  rapidjson::Document json_;
  std::vector<std::string> texts_;
};

RunProcess& add_process(RecordedRun& run, Index parent, BootTime start, BootTime end) {
  auto pid = static_cast<Pid>(100 + run.processes.size());
  RunProcess& process = run.processes.grow();
  process.id = {pid, static_cast<std::uint64_t>(start.time_since_epoch().count())};
  process.local_pid = pid;
  process.parent = process.creator = process.end_parent = parent;
  process.comm = run.texts.add("name");
  process.born = process.ended = process.end_recorded = true;
  process.end = end;
  return process;
}

RunExec& add_exec(RecordedRun& run, Index process, BootTime time, std::string_view args) {
  auto index = static_cast<Index>(run.execs.size());
  RunExec& exec = run.execs.grow();
  exec.time = time;
  exec.process = process;
  exec.args = run.texts.add(args);
  exec.filename = run.texts.add(args.substr(0, args.find('\0')));
  RunProcess& of = run.processes[process];
  if (of.first_exec == no_index) {
    of.first_exec = index;
  } else {
    run.execs[of.last_exec].next = index;
  }
  of.last_exec = index;
  of.executed = true;
  return exec;
}

RecordedRun run_of(BootTime start, BootTime stop) {
  RecordedRun run;
  run.start = start;
  run.stop = stop;
  run.host.name = "machine";
  run.host.cpus = 3;
  run.has_stopped = true;
  run.clock.restart_with(1'000'000'000'000'000'000);
  return run;
}

TEST(TimelineTest, FactsOfSomeProcessesOnly) {
  RecordedRun run = run_of(at(10s), at(20s));
  run.earlier_boots = 2;
  RunProcess& root = add_process(run, no_index, at(11s), at(15s));
  root.reported = true;
  root.ns_pid = 7;
  root.at_end.state = 1;
  RunExec& make = add_exec(run, 0, at(11s), "make\0all\0"sv);
  make.args_size = 9;
  make.cap_effective = 0x1ff'ffff'ffff;
  make.secure = make.cwd_deleted = true;
  RunProcess& child = add_process(run, 0, at(12s), at(12s));
  child.ended = child.end_recorded = false;
  add_exec(run, 1, at(12s), "missing\0"sv).filename = TextId::none;
  Data data(page_of(run));
  EXPECT_EQ(data["earlier_boots"].GetInt(), 2);
  EXPECT_EQ(data.process("ns_pid", 0).GetInt(), 7);
  EXPECT_TRUE(data.process("ns_pid", 1).IsNull());
  EXPECT_EQ(data.process("parent_blocked", 0).GetInt(), 1);
  EXPECT_TRUE(data.process("parent_blocked", 1).IsNull());
  EXPECT_EQ(data.exec("args_size", 0).GetInt(), 9);
  EXPECT_TRUE(data.exec("args_size", 1).IsNull());
  EXPECT_EQ(data.exec("cap_effective", 0).GetInt64(), 0x1ff'ffff'ffff);
  EXPECT_EQ(data.exec("secure", 0).GetInt(), 1);
  EXPECT_EQ(data.exec("exe_deleted", 0).GetInt(), 0);
  EXPECT_EQ(data.exec("cwd_deleted", 0).GetInt(), 1);
  EXPECT_TRUE(data.exec("cap_effective", 1).IsNull());
}

TEST(TimelineTest, ColumnsHoldWhatTheRunHas) {
  RecordedRun run = run_of(at(10s), at(20s));
  RunProcess& root = add_process(run, no_index, at(11s), at(15s));
  root.cpu = {3ms, 2ms};
  root.cpu_wait = 7ms;
  root.wait_status = 11 | 128;
  root.peak_rss_bytes = 4096;
  root.cgroup = run.texts.add("/system.slice/cron.service");
  root.identity = 0;
  run.identities.grow() = {.gid = 20, .login_uid = 1000, .tty = run.texts.add("pts/3")};
  add_exec(run, 0, at(11s + 5ms), "make\0all\0"sv);
  RunProcess& child = add_process(run, 0, at(12s), at(12s));
  child.ended = child.end_recorded = false;
  add_exec(run, 1, at(12s + 1ms), "missing\0"sv).error = 2;
  run.losses.push_back({.time = at(14s), .execs = 5});
  Data data(page_of(run, {{0, at(11s), 4s}}));

  EXPECT_EQ(data["format"].GetInt(), 1);
  EXPECT_EQ(data["cpus"].GetInt(), 3);
  EXPECT_STREQ(data["begin_boot_ns"].GetString(), "10000000000");
  EXPECT_EQ(data["begin_wall_ms"].GetDouble(), 1'000'000'010'000.0);
  EXPECT_EQ(data["end"].GetInt64(), 10'000'000'000);
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data.process("start", 0).GetInt64(), 1'000'000'000);
  EXPECT_EQ(data.process("start", 1).GetInt64(), 1'000'000'000) << "the difference";
  EXPECT_EQ(data.process("duration", 0).GetInt64(), 4'000'000'000);
  EXPECT_TRUE(data.process("duration", 1).IsNull());
  EXPECT_EQ(data.process("status", 0).GetInt(), 11 | 128);
  EXPECT_TRUE(data.process("status", 1).IsNull());
  EXPECT_EQ(data.process("cpu_user", 0).GetInt(), 3'000'000);
  EXPECT_EQ(data.process("cpu_wait", 0).GetInt(), 7'000'000);
  EXPECT_TRUE(data.process("cpu_wait", 1).IsNull());
  EXPECT_EQ(data.process("peak_rss", 0).GetInt(), 4096);
  EXPECT_EQ(data.process("parent", 0).GetInt(), -1);
  EXPECT_EQ(data.process("parent", 1).GetInt(), 0);
  EXPECT_EQ(data.text(data.process("unit", 0)), "cron.service");
  EXPECT_EQ(data.process("identity", 0).GetInt(), 0);
  EXPECT_EQ(data.process("identity", 1).GetInt(), -1);
  EXPECT_EQ(data["identities"]["gid"][0].GetInt(), 20);
  EXPECT_EQ(data["identities"]["login_uid"][0].GetInt(), 1000);
  EXPECT_TRUE(data["identities"]["audit_session"][0].IsNull());
  EXPECT_EQ(data.text(data["identities"]["tty"][0]), "pts/3");
  EXPECT_EQ(data.process("execs", 1).GetInt(), 1);
  EXPECT_EQ(data.exec("at", 0).GetInt(), 5'000'000);
  EXPECT_EQ(data.text(data.exec("args", 0)), "make\0all\0"s);
  EXPECT_EQ(data.exec("error", 1).GetInt(), 2);
  EXPECT_STREQ(data["errors"]["2"].GetString(), "ENOENT");
  EXPECT_STREQ(data["signals"]["11"].GetString(), "SIGSEGV");
  EXPECT_EQ(data["losses"]["at"][0].GetInt64(), 4'000'000'000);
  EXPECT_EQ(data["losses"]["since"][0].GetInt64(), 3'000'000'000);
  EXPECT_EQ(data["losses"]["count"][0].GetInt(), 5);
  EXPECT_EQ(data["chain"]["duration"][0].GetInt64(), 4'000'000'000);
}

TEST(TimelineTest, GoldenRecording) {
  RunBuilder builder;
  RecordingBatch batch{};
  batch.run = 42;
  builder.begin_batch(batch);
  std::vector<std::string> records = golden_records_1();
  for (const std::string& record : records) {
    builder.take(std::as_bytes(std::span(record)));
  }
  RecordedRun run = builder.finish();
  std::string page = page_of(run);
  Data data(page);
  EXPECT_GT(data.size(), 0U);
  EXPECT_EQ(page, page_of(run)) << "the same bytes";
}

// Whatever processes are called, the page has only base64 of it.
TEST(TimelineTest, NoRecordedTextIsInThePage) {
  std::string empty = page_of(run_of(at(1s), at(2s)));
  RecordedRun run = run_of(at(1s), at(2s));
  std::string hostile = "</script><script>alert(1)</script>";
  run.host.name = run.command = hostile;
  run.users.define(0, hostile);
  add_process(run, no_index, at(1s), at(2s)).comm = run.texts.add(hostile);
  add_exec(run, 0, at(1s), hostile + '\0' + "\xff\n\x1b" + '\0').cwd = run.texts.add(hostile);
  std::string page = page_of(run);
  std::string rest = page;
  rest.replace(rest.find(element_of(page)), element_of(page).size(), "");
  std::string empty_rest = empty;
  empty_rest.replace(empty_rest.find(element_of(empty)), element_of(empty).size(), "");
  EXPECT_EQ(rest, empty_rest);
  Data data(page);
  EXPECT_EQ(data.text(data.exec("args", 0)), hostile + '\0' + "\xff\n\x1b" + '\0');
  EXPECT_EQ(data["host"].GetString(), hostile);
}

TEST(TimelineTest, OlderProcessesNeedAPartInTheRecording) {
  RecordedRun run = run_of(at(100s), at(200s));
  auto add_older = [&run](Index parent) {
    RunProcess& process = add_process(run, parent, at(5s), at(0s));
    process.older = true;
    process.ended = process.end_recorded = process.born = false;
  };
  add_older(no_index);  // 0: init
  add_older(0);         // 1: a shell, whose child runs
  add_older(0);         // 2: idle
  add_process(run, 1, at(110s), at(120s));
  add_older(0);  // 4: ends during the recording
  run.processes[4].ended = true;
  run.processes[4].end = at(130s);
  run.processes.grow().id.pid = 1234;  // 5: an account of it, and no more
  Data data(page_of(run));
  ASSERT_EQ(data.size(), 4U);
  EXPECT_EQ(data.process("pid", 0).GetInt(), 100);
  EXPECT_EQ(data.process("pid", 1).GetInt(), 101);
  EXPECT_EQ(data.process("pid", 2).GetInt(), 103);
  EXPECT_EQ(data.process("parent", 2).GetInt(), 1);
  EXPECT_EQ(data.process("pid", 3).GetInt(), 104);

  run.has_program = true;
  EXPECT_EQ(Data(page_of(run)).size(), 2U) << "without the ancestors of PROGRAM";
}

TEST(TimelineTest, StartsOfLongAgoStayExact) {
  RecordedRun run = run_of(at(200 * 24h), at(200 * 24h + 1s));
  add_process(run, no_index, at(1234567891ns), at(200 * 24h + 1s)).older = true;
  Data data(page_of(run));
  EXPECT_STREQ(data["exact_starts"]["0"].GetString(), "1234567891");
}

// A build: `make`, and for each job a shell, a compiler driver, a compiler and an assembler.
RecordedRun build_of(std::size_t jobs) {
  RecordedRun run = run_of(at(1s), at(1s + (jobs + 1) * 20ms));
  add_process(run, no_index, at(1s), run.stop);
  add_exec(run, 0, at(1s + 1ms), "make\0-j8\0"sv);
  std::string flags = "-DNDEBUG\0-O2\0-std=c++20\0-Wall\0-Wextra\0-Werror\0-I../include\0-g1\0"s;
  for (std::size_t job = 0; job < jobs; ++job) {
    std::string source = fmt::format("../src/part{}/unit_{}.cpp", job % 97, job);
    std::string object = fmt::format("CMakeFiles/all.dir/src/part{}/unit_{}.cpp.o", job % 97, job);
    std::string compile = flags + "-o\0"s + object + "\0-c\0"s + source + '\0';
    std::string temporary = fmt::format("/tmp/cc{:06x}.s", job * 7919 % 16777213);
    BootTime begin = at(1s + job * 20ms + std::chrono::nanoseconds(job * 7919 % 100003));
    auto shell = static_cast<Index>(run.processes.size());
    auto add = [&](Index parent, auto delay, auto length, const std::string& args) {
      auto index = static_cast<Index>(run.processes.size());
      RunProcess& process = add_process(run, parent, begin + delay, begin + delay + length);
      process.cpu = {std::chrono::nanoseconds(job * 104729 % 150'000'000), 1ms};
      process.cpu_wait = std::chrono::nanoseconds(job * 1299709 % 9'000'000);
      process.max_rss_bytes = 4096 * (job % 5000);
      process.minor_faults = job * 31 % 20000;
      add_exec(run, index, begin + delay + 400us, args).cwd = run.texts.add("/home/me/project");
    };
    add(no_index, 0ms, 160ms, "/bin/sh\0-c\0g++ "s + compile + '\0');
    run.processes[shell].parent = 0;
    add(shell, 1ms, 158ms, "g++\0"s + compile);
    add(shell + 1, 2ms, 140ms,
        "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus\0-quiet\0"s + compile + temporary + '\0');
    add(shell + 1, 143ms, 12ms, "as\0--64\0-o\0"s + object + '\0' + temporary + '\0');
  }
  return run;
}

TEST(TimelineTest, SizeOfThePage) {
  EXPECT_LT(page_of(build_of(2)).size(), 60'000U);
  std::string page = page_of(build_of(25'000));
  EXPECT_LT(page.size(), 12'000'000U);
  EXPECT_EQ(Data(page).size(), 100'001U);
}

}  // namespace
}  // namespace bpftrap
