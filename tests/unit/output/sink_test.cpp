// SPDX-License-Identifier: GPL-2.0-only
// Expected output of the table and the JSON sink.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "core/os/error.h"
#include "core/output/json_sink.h"
#include "core/output/table_sink.h"
#include "core/record/process_fields.h"

namespace bpftrap {
namespace {

using namespace std::literals;

// 2026-01-31T12:00:00Z is 1000 s on the boot clock.
WallClock fixed_clock() {
  return WallClock({[] { return BootTime(1000s); }, [] { return WallTime{1769860800'000000000}; }});
}

ExecRecord exec_record() {
  ExecRecord record;
  record.time = BootTime(1000s + 123'456'789ns);
  record.process.id = {1234567, 999'000'000'000};
  record.process.parent = {7, 5};
  record.process.local_pid = 1234567;
  record.process.local_parent = 7;
  record.process.ns_pid = 3;
  record.process.pid_ns_inode = 4026532000;
  record.process.uid = 4294967294;
  record.process.gid = 5;
  record.process.egid = 6;
  record.process.login_uid = 1000;
  record.process.session_id = 7;
  record.process.process_group = 8;
  record.process.tty = "pts3";
  record.process.comm = "fifteen_bytes_x";
  record.process.parent_comm = "sh";
  record.process.cgroup = "/a/b";
  record.process.unit = "b.service";
  record.filename = "/bin/x";
  record.args = Arguments{"x\0a b\0\0"sv, false};
  record.args_size = 7;
  record.cap_effective = 0x1ff'ffff'ffff;
  record.secure = true;
  using Kind = ProcessFile::Kind;
  record.exe = {Kind::path, "/bin/y", 0, false};
  record.cwd = {Kind::path, "/", 0, true};
  record.env = Arguments{"A=\0B=1\0"sv, false};
  record.standard_files[0] = {Kind::pipe, "", 9, false};
  record.standard_files[1] = {Kind::outside, "/tmp/o", 0, true};
  return record;
}

ExitRecord exit_record() {
  ExecRecord exec = exec_record();
  ExitRecord record;
  record.time = exec.time;
  record.process = exec.process;
  record.filename = exec.filename;
  record.exe = usable_path(exec.exe);
  record.cwd = usable_path(exec.cwd);
  record.args = exec.args;
  record.wait_status = 0;
  record.duration = 1124ms;
  record.cpu = {1ms, 2ms};
  record.cpu_wait = 3us;
  record.parent.state = 1;
  record.max_rss_bytes = 4096;
  record.io = StorageIo{1, 2};
  record.minor_faults = 3;
  record.major_faults = 4;
  record.voluntary_switches = 5;
  record.involuntary_switches = 6;
  return record;
}

template <class Record>
std::string json(const Record& record) {
  WallClock clock = fixed_clock();
  std::string out;
  JsonSink({out, clock}).write(record);
  return out;
}

TEST(JsonSink, Exec) {
  EXPECT_EQ(
      json(exec_record()),
      R"({"event":"exec","ts":"2026-01-31T12:00:00.123456789Z","boot_ns":1000123456789,)"
      R"("id":"1234567-999000000000","parent_id":"7-5","pid":1234567,"ppid":7,"local_pid":1234567,)"
      R"("parent_comm":"sh","uid":4294967294,"gid":5,"euid":0,"egid":6,"login_uid":1000,)"
      R"("audit_session":null,"session_id":7,"process_group":8,"tty":"pts/3",)"
      R"("comm":"fifteen_bytes_x","cgroup":"/a/b","unit":"b.service","container_id":null,)"
      R"("pid_ns_inode":4026532000,"ns_pid":3,"filename":"/bin/x",)"
      R"("interp":null,"exe":"/bin/y","exe_deleted":false,"cwd":"/","cwd_deleted":true,)"
      R"("args":["x","a b",""],"args_size":7,"args_truncated":false,)"
      R"x("env":["A=","B=1"],"stdin":"pipe:[9]","stdout":"/tmp/o (deleted)","stderr":null,)x"
      R"("cap_effective":"000001ffffffffff","secure":true,"errno":null})"
      "\n");
}

TEST(JsonSink, UnknownIsNull) {
  ExecRecord record = exec_record();
  record.process.parent = {};
  record.process.cgroup = std::nullopt;
  record.filename = std::nullopt;
  record.args = std::nullopt;
  record.error = ENOENT;
  record.process.local_pid = 0;
  std::string line = json(record);
  for (const char* part :
       {R"("parent_id":null)", R"("local_pid":null)", R"("cgroup":null)", R"("filename":null)",
        R"("args":null,"args_size":7,"args_truncated":true)", R"("errno":"ENOENT")"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST(JsonSink, Exit) {
  EXPECT_EQ(
      json(exit_record()),
      R"({"event":"exit","ts":"2026-01-31T12:00:00.123456789Z","boot_ns":1000123456789,)"
      R"("id":"1234567-999000000000","parent_id":"7-5","pid":1234567,"ppid":7,"local_pid":1234567,)"
      R"("parent_comm":"sh","uid":4294967294,"gid":5,"euid":0,"egid":6,"login_uid":1000,)"
      R"("audit_session":null,"session_id":7,"process_group":8,"tty":"pts/3",)"
      R"("comm":"fifteen_bytes_x","cgroup":"/a/b","unit":"b.service","container_id":null,)"
      R"("pid_ns_inode":4026532000,"ns_pid":3,"filename":"/bin/x",)"
      R"("exe":"/bin/y","cwd":"/","args":["x","a b",""],"args_truncated":false,"exit_code":0,)"
      R"("signal":null,"core_dumped":false,"oom_killed":false,)"
      R"("killer_pid":null,"killer_comm":null,"killer_id":null,"last_signal":null,)"
      R"("last_signal_pid":null,"last_signal_comm":null,"last_signal_id":null,)"
      R"("last_signal_age_ns":null,"parent_blocked":true,"duration_ns":1124000000,"cpu_user_ns":1000000,)"
      R"("cpu_sys_ns":2000000,"cpu_wait_ns":3000,"max_rss_bytes":4096,"peak_rss_bytes":null,"io_read_bytes":1,"io_write_bytes":2,)"
      R"("minor_faults":3,"major_faults":4,"voluntary_switches":5,"involuntary_switches":6})"
      "\n");
}

TEST(JsonSink, ExitBySignal) {
  ExitRecord record = exit_record();
  record.wait_status = SIGSEGV | 0x80;
  record.killer = Sender{{1, 20}, 1, "systemd"};
  record.last_signal = LastSignal{SIGTERM, Sender{{7, 30}, 7, "sh"}, std::chrono::seconds(2)};
  record.io = std::nullopt;
  std::string line = json(record);
  for (const char* part :
       {R"("exit_code":null,"signal":"SIGSEGV","core_dumped":true)",
        R"("killer_pid":1,"killer_comm":"systemd","killer_id":"1-20")",
        R"("last_signal":"SIGTERM","last_signal_pid":7)",
        R"("last_signal_comm":"sh","last_signal_id":"7-30")", R"("last_signal_age_ns":2000000000)",
        R"("io_read_bytes":null,"io_write_bytes":null)"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST(JsonSink, HostileBytes) {
  ExecRecord record = exec_record();
  record.process.comm = "\x1b[31m\"\\";
  record.args = Arguments{"\xff\xc3\xa9\n\0"sv, true};
  std::string line = json(record);
  EXPECT_NE(line.find(R"("comm":"\u001B[31m\"\\")"), std::string::npos) << line;
  EXPECT_NE(line.find("\"args\":[\"\xef\xbf\xbd\xc3\xa9\\n\"]"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(JsonSink, StreamRecords) {
  EXPECT_EQ(json(LostRecord{BootTime(1000s), 3}),
            R"({"event":"lost","ts":"2026-01-31T12:00:00.000000000Z","count":3})"
            "\n");
  EXPECT_EQ(json(StopRecord{BootTime(1000s), 5, 3}),
            R"({"event":"stop","ts":"2026-01-31T12:00:00.000000000Z","records":5,"lost":3})"
            "\n");
}

class TableSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }

  std::string table(bool header, bool color, const ExecRecord& exec, const ExitRecord& exit) {
    WallClock clock = fixed_clock();
    std::string out;
    TableSink sink({out,
                    clock,
                    {fields<ExecRecord>(), fields<ExitRecord>()},
                    {"TIME", "EVENT", "PID", "PPID", "COMM", "DURATION", "STATUS", "COMMAND"},
                    header,
                    color});
    sink.write(StartRecord{});
    sink.write(exec);
    sink.write(exit);
    return out;
  }
};

TEST_F(TableSinkTest, RowsStandUnderTheHeader) {
  EXPECT_EQ(table(true, false, exec_record(), exit_record()),
            "TIME         EVENT     PID    PPID COMM            DURATION STATUS COMMAND\n"
            "12:00:00.123 exec  1234567       7 fifteen_bytes_x        - -      x 'a b' ''\n"
            "12:00:00.123 exit  1234567       7 fifteen_bytes_x    1.12s 0      x 'a b' ''\n");
}

TEST_F(TableSinkTest, NoHeader) {
  EXPECT_TRUE(table(false, false, exec_record(), exit_record()).starts_with("12:00:00.123 exec"));
}

TEST_F(TableSinkTest, ColorIsItsOwnOnly) {
  ExecRecord exec = exec_record();
  exec.process.comm = "\x1b[5mx";
  ExitRecord exit = exit_record();
  exit.wait_status = 256;
  std::string text = table(true, true, exec, exit);
  EXPECT_EQ(text.find("\x1b[5m"), std::string::npos) << text;
  EXPECT_NE(text.find("\\x1b[5mx"), std::string::npos) << text;
  EXPECT_NE(text.find("\x1b[31m1\x1b[0m "), std::string::npos) << text;
}

TEST_F(TableSinkTest, AMisspeltColumnIsRefused) {
  WallClock clock = fixed_clock();
  std::string out;
  auto make = [&](std::string_view column) {
    TableSink({out, clock, {fields<ExecRecord>(), fields<ExitRecord>()}, {"PID", column}});
  };
  EXPECT_NO_THROW(make("CPU")) << "one record kind has this column";
  try {
    make("CPUU");
    FAIL() << "an unknown column is accepted";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("'CPUU'"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("EVENT, TIME, PID"), std::string::npos) << error.message();
  }
}

TEST_F(TableSinkTest, AJsonKeyPrintsTheRawValue) {
  WallClock clock = fixed_clock();
  std::string out;
  TableSink sink({out,
                  clock,
                  {fields<ExecRecord>(), fields<ExitRecord>()},
                  {"duration_ns", "filename", "uid", "ts"}});
  sink.write(StartRecord{});
  ExecRecord exec = exec_record();
  exec.filename = "/bin/\x1b[5m";
  sink.write(exec);
  sink.write(exit_record());
  EXPECT_EQ(out,
            "duration_ns filename uid ts\n"
            "          - /bin/\\x1b[5m 4294967294 2026-01-31T12:00:00.123456789Z\n"
            " 1124000000 /bin/x   4294967294 2026-01-31T12:00:00.123456789Z\n");
}

TEST_F(TableSinkTest, TimesInUtc) {
  ::setenv("TZ", "PKT-5", 1);
  ::tzset();
  WallClock clock = fixed_clock();
  std::string out;
  for (bool utc : {false, true}) {
    TableSink sink({.out = out,
                    .clock = clock,
                    .kinds = {fields<ExecRecord>()},
                    .columns = {"TIME"},
                    .utc = utc});
    sink.write(exec_record());
  }
  EXPECT_EQ(out, "17:00:00.123\n12:00:00.123\n");
}

TEST_F(TableSinkTest, RoomyColumnsAreWider) {
  WallClock clock = fixed_clock();
  std::string out;
  for (bool roomy : {false, true}) {
    TableSink({.out = out,
               .clock = clock,
               .kinds = {fields<ExecRecord>()},
               .columns = {"PARENT", "PID"},
               .roomy = roomy})
        .write(exec_record());
  }
  EXPECT_EQ(out, "sh[7]        1234567\nsh[7]              1234567\n");
}

TEST_F(TableSinkTest, RowsFollowTheTerminal) {
  WallClock clock = fixed_clock();
  std::string out;
  std::size_t columns = 9;
  TableSink sink({.out = out,
                  .clock = clock,
                  .kinds = {fields<ExecRecord>()},
                  .columns = {"PID", "COMMAND"},
                  .header = true,
                  .row_width = [&columns] { return columns; }});
  sink.write(StartRecord{});
  sink.write(exec_record());
  columns = 12;
  sink.write(exec_record());
  EXPECT_EQ(out, "    PID …\n1234567 …\n1234567 x '…\n");
}

TEST_F(TableSinkTest, KindsThatMakeNoRowsAreIgnored) {
  WallClock clock = fixed_clock();
  std::string out;
  TableSink sink({out, clock, {fields<ExitRecord>()}, {"PID", "COMMAND"}});
  sink.write(exec_record());
  sink.write(StopRecord{});
  EXPECT_EQ(out, "");
}

// A record kind as a new command would declare it.
struct OwnRecord {
  BootTime time;
  std::optional<std::string> name;
  bool flag = false;
};

FieldTable fields_of(const OwnRecord*) {
  using R = OwnRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("own"), field<&R::name>("name", "a name").column("NAME", 6, Align::right),
      table_only<R>("more").column("MORE").cell(
          [](const R&, Context, std::string& out) { out += "m"; }),
      field<&R::flag>("flag", "a flag").column("FLAG", 5).styled([](const R& r) {
        return r.flag ? Style::warning : Style::plain;
      }));
  return table;
}

TEST_F(TableSinkTest, AKindOfACommandsOwn) {
  EXPECT_EQ(json(OwnRecord{}), "{\"event\":\"own\",\"name\":null,\"flag\":false}\n");
  WallClock clock = fixed_clock();
  std::string out;
  TableSink sink({out, clock, {fields<OwnRecord>()}, {"NAME", "FLAG", "MORE"}, true, true});
  sink.write(StartRecord{});
  sink.write(OwnRecord{{}, "x", true});
  sink.write(OwnRecord{});
  EXPECT_EQ(out,
            "  NAME FLAG  MORE\n"
            "     x \x1b[33myes\x1b[0m   m\n"
            "     - no    m\n");
}

TEST(RecordView, KnowsItsKind) {
  ExitRecord exit = exit_record();
  RecordView view(exit);
  EXPECT_EQ(view.get_if<ExitRecord>(), &exit);
  EXPECT_EQ(view.get_if<ExecRecord>(), nullptr);
  EXPECT_EQ(view.get_if<OwnRecord>(), nullptr);
}

TEST(TreeView, SixteenLevelsAreDrawnAndMoreAreSaid) {
  WallClock clock = fixed_clock();
  auto row = [&](auto record, unsigned depth) {
    std::string out;
    TableSink sink({out, clock, {fields<decltype(record)>()}, {"COMMAND"}, false, false});
    record.depth = depth;
    record.args = Arguments{"x\0"sv, false};
    sink.write(record);
    return out;
  };
  EXPECT_EQ(row(exec_record(), 0), "x\n");
  EXPECT_EQ(row(exec_record(), 1), " \\_ x\n");
  EXPECT_EQ(row(exit_record(), 2), "     \\_ x\n");
  EXPECT_EQ(row(exec_record(), 16), std::string(60, ' ') + " \\_ x\n");
  EXPECT_EQ(row(exec_record(), 17), std::string(58, ' ') + "17 \\_ x\n");
  EXPECT_EQ(row(exit_record(), 4294967295), std::string(50, ' ') + "4294967295 \\_ x\n");
}

}  // namespace
}  // namespace bpftrap
