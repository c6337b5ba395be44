// SPDX-License-Identifier: GPL-2.0-only
// Compares docs/records.schema.json with the field tables (core/record/field.h) and
// docs/records.md, and validates the lines of the JSON sink against the schema.
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/died/death_record.h"
#include "core/analysis/diff/compare.h"
#include "core/analysis/slow_records.h"
#include "core/analysis/summary.h"
#include "core/doctor/check_report.h"
#include "core/os/clock.h"
#include "core/output/json_sink.h"

namespace bpftrap {
namespace {

using Json = rapidjson::Value;

// BPFTRAP_SCHEMA in the environment, else the schema in the source tree of this file.
std::string schema_path() {
  if (const char* path = std::getenv("BPFTRAP_SCHEMA"); path != nullptr) {
    return path;
  }
  std::string here = __FILE__;
  std::size_t end = here.rfind("tests/unit/");
  return here.substr(0, end == std::string::npos ? 0 : end) + "docs/records.schema.json";
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const rapidjson::Document& schema() {
  static const rapidjson::Document document = [] {
    rapidjson::Document parsed;
    parsed.Parse(read_text(schema_path()).c_str());
    return parsed;
  }();
  return document;
}

std::string_view text_of(const Json& value) {
  return {value.GetString(), value.GetStringLength()};
}

// The schema of one record kind, or null.
const Json* kind_schema(std::string_view kind) {
  if (!schema().IsObject()) {
    return nullptr;
  }
  for (const Json& one : schema()["oneOf"].GetArray()) {
    if (text_of(one["properties"]["event"]["enum"][0]) == kind) {
      return &one;
    }
  }
  return nullptr;
}

std::set<std::string> types_of(const Json& property) {
  std::set<std::string> types;
  const Json& type = property["type"];
  if (type.IsString()) {
    types.emplace(text_of(type));
    return types;
  }
  for (const Json& one : type.GetArray()) {
    types.emplace(text_of(one));
  }
  return types;
}

std::string_view json_type(JsonType type) {
  switch (type) {
    case JsonType::string:
      return "string";
    case JsonType::integer:
      return "integer";
    case JsonType::boolean:
      return "boolean";
    case JsonType::strings:
      return "array";
  }
  return "";
}

std::set<std::string> required_of(const Json& kind) {
  std::set<std::string> keys;
  for (const Json& key : kind["required"].GetArray()) {
    EXPECT_TRUE(keys.emplace(text_of(key)).second) << text_of(key) << " is required twice";
  }
  return keys;
}

template <class Record>
void expect_as_described(std::string_view kind) {
  SCOPED_TRACE(kind);
  const Json* described = kind_schema(kind);
  ASSERT_NE(described, nullptr) << schema_path();
  const Json& properties = (*described)["properties"];
  std::set<std::string> keys;
  for (const Field& field : fields<Record>()) {
    if (field.key.empty()) {
      continue;
    }
    SCOPED_TRACE(field.key);
    keys.emplace(field.key);
    auto member = properties.FindMember(std::string(field.key).c_str());
    ASSERT_NE(member, properties.MemberEnd());
    const Json& property = member->value;
    EXPECT_EQ(text_of(property["description"]), field.doc);
    std::set<std::string> types{std::string(json_type(field.type))};
    if (field.nullable) {
      types.emplace("null");
    }
    EXPECT_EQ(types_of(property), types);
    if (field.type == JsonType::strings) {
      EXPECT_EQ(types_of(property["items"]), std::set<std::string>{"string"});
    }
  }
  EXPECT_EQ(properties.MemberCount(), keys.size()) << "the schema has a key that is not written";
  EXPECT_EQ(required_of(*described), keys);
}

class Validation {
 public:
  Validation() : compiled_(schema()) {}

  // Returns the fault of a line of the stream, or "".
  std::string operator()(std::string_view line) const {
    rapidjson::Document record;
    record.Parse<rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
    if (record.HasParseError()) {
      return "invalid JSON or invalid UTF-8";
    }
    rapidjson::SchemaValidator validator(compiled_);
    if (record.Accept(validator)) {
      return {};
    }
    // RapidJSON gives no other detail if no kind matches.
    return std::string("refused by ") + validator.GetInvalidSchemaKeyword();
  }

 private:
  rapidjson::SchemaDocument compiled_;
};

// Text of a hostile process: quotes, control characters, invalid and truncated UTF-8.
constexpr std::string_view kHostile = "\"\\/\x1b[2J\x01\n\r\t\x7f\xff\xc3\x28\xe2\x82";

Process some_process(std::string_view text) {
  return {.id = {4194304, 123456789},
          .parent = {1, 0},
          .local_pid = 4194304,
          .local_parent = 1,
          .ns_pid = 4194304,
          .pid_ns_inode = 4026531836,
          .uid = 4294967294,
          .gid = 0,
          .login_uid = 1000,
          .audit_session = 3,
          .comm = text,
          .parent_comm = text,
          .tty = text,
          .cgroup_id = 1,
          .cgroup = "/a",
          .unit = R"(dev-disk-by\x2duuid.swap)",
          .container_id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
          .ancestors = {}};
}

class SchemaTest : public testing::Test {
 protected:
  SchemaTest() {
    sources_.now_boot = [] { return BootTime(std::chrono::seconds(1000)); };
    sources_.now_real = [] { return WallTime{1'700'000'000'000'000'000}; };
  }

  void SetUp() override {
    ASSERT_TRUE(schema().IsObject() && schema().HasMember("oneOf")) << schema_path();
  }

  // Writes the record and validates the line.
  template <class Record>
  std::string check(const Record& record) {
    std::string out;
    WallClock clock(sources_);
    JsonSink sink({out, clock});
    sink.write(record);
    if (out.empty() || out.back() != '\n' || out.find('\n') != out.size() - 1) {
      return "not one line";
    }
    out.pop_back();
    line_ = out;
    return validate_(out);
  }

  TimeSources sources_;
  BootTime time_{std::chrono::milliseconds(999'999)};
  Validation validate_;
  std::string line_;
};

TEST_F(SchemaTest, IsAsTheTablesOfFields) {
  expect_as_described<StartRecord>("start");
  expect_as_described<ForkRecord>("fork");
  expect_as_described<ExecRecord>("exec");
  expect_as_described<ExitRecord>("exit");
  expect_as_described<LostRecord>("lost");
  expect_as_described<SummaryRecord>("summary");
  expect_as_described<DeathRecord>("death");
  expect_as_described<DiffRecord>("only_a");
  expect_as_described<StopRecord>("stop");
  expect_as_described<Check>("check");
  expect_as_described<RunTotals>("run");
  expect_as_described<SegmentRecord>("segment");
}

// The schema holds exactly the kinds of the existing commands.
TEST_F(SchemaTest, KnowsTheKinds) {
  std::vector<std::string_view> kinds;
  for (const Json& kind : schema()["oneOf"].GetArray()) {
    EXPECT_EQ(text_of(kind["title"]), text_of(kind["properties"]["event"]["enum"][0]));
    std::set<std::string> keys;
    for (const auto& property : kind["properties"].GetObject()) {
      keys.emplace(text_of(property.name));
    }
    EXPECT_EQ(required_of(kind), keys);
    kinds.push_back(text_of(kind["title"]));
  }
  EXPECT_EQ(kinds, (std::vector<std::string_view>{"start", "fork", "exec", "exit", "hello", "check",
                                                  "lost", "summary", "death", "only_a", "stop",
                                                  "run", "segment"}));
}

TEST_F(SchemaTest, IsWhatThePageSays) {
  std::string path = schema_path();
  std::string page = read_text(path.substr(0, path.rfind(".schema.json")) + ".md");
  for (const Json& kind : schema()["oneOf"].GetArray()) {
    EXPECT_NE(page.find("\n## " + std::string(text_of(kind["title"])) + "\n"), std::string::npos)
        << text_of(kind["title"]);
    for (const auto& property : kind["properties"].GetObject()) {
      std::set<std::string> types = types_of(property.value);
      bool nullable = types.erase("null") != 0;
      std::string row = "\n| `" + std::string(text_of(property.name)) + "` | ";
      row += *types.begin() == "array" ? "array of strings" : *types.begin();
      row += nullable ? " or null | " : " | ";
      row += text_of(property.value["description"]);
      row += " |\n";
      EXPECT_NE(page.find(row), std::string::npos) << row;
    }
  }
}

TEST_F(SchemaTest, TakesWhatFramesTheStream) {
  StartRecord start{time_, "host", "0f5eac8e-33ef-44e4-9b80-2a1d2d4b56d4", "6.1.0", "exec"};
  EXPECT_EQ(check(start), "");
  start.boot_id.clear();
  start.host = kHostile;
  EXPECT_EQ(check(start), "");
  EXPECT_EQ(check(LostRecord{time_, 3}), "");
  EXPECT_EQ(check(StopRecord{time_, 10, 3}), "");
}

TEST_F(SchemaTest, TakesForkRecords) {
  ForkRecord record;
  record.time = time_;
  record.process = some_process(kHostile);
  EXPECT_EQ(check(record), "");
}

TEST_F(SchemaTest, TakesExecRecords) {
  ExecRecord record;
  record.time = time_;
  record.process = some_process("sh");
  record.filename = "/bin/sh";
  record.args = Arguments{std::string_view("sh\0-c\0\0", 7)};
  record.args_size = 7;
  EXPECT_EQ(check(record), "");

  record.process = some_process(kHostile);
  record.filename = record.interp = kHostile;
  record.args = Arguments{kHostile, true};
  record.args_size = std::uint64_t{1} << 40;
  EXPECT_EQ(check(record), "");

  record.process.parent = {};
  record.process.cgroup.reset();
  record.process.unit.reset();
  record.process.container_id.reset();
  record.process.tty.reset();
  record.process.login_uid.reset();
  record.process.audit_session.reset();
  record.filename.reset();
  record.interp.reset();
  record.args.reset();
  record.args_size.reset();
  EXPECT_EQ(check(record), "");
  for (int error = 1; error < 134; ++error) {
    record.error = error;
    EXPECT_EQ(check(record), "") << line_;
  }
}

TEST_F(SchemaTest, TakesExitRecords) {
  ExitRecord record;
  record.time = time_;
  record.process = some_process("sh");
  record.duration = std::chrono::nanoseconds(1);
  EXPECT_EQ(check(record), "");

  record.process = some_process(kHostile);
  record.filename = kHostile;
  record.args = Arguments{kHostile, true};
  record.killer = Sender{{1, 20}, 1, kHostile};
  record.last_signal = LastSignal{SIGABRT, *record.killer, std::chrono::nanoseconds(0)};
  record.io = StorageIo{4096, std::uint64_t{1} << 60};
  record.oom_killed = true;
  // Every status of wait4(): exit(0) to exit(255), and signals 1 to 64 with and without a core.
  for (int code = 0; code < 256; ++code) {
    record.wait_status = W_EXITCODE(code, 0);
    EXPECT_EQ(check(record), "") << line_;
  }
  for (int signal = 1; signal <= 64; ++signal) {
    record.wait_status = W_EXITCODE(0, signal);
    EXPECT_EQ(check(record), "") << line_;
    record.wait_status |= WCOREFLAG;
    EXPECT_EQ(check(record), "") << line_;
  }
}

TEST_F(SchemaTest, TakesChecks) {
  EXPECT_EQ(check(Check{"JIT", CheckState::ok, "on", ""}), "");
  EXPECT_EQ(check(Check{"JIT", CheckState::degraded, std::string(kHostile), "do this"}), "");
  EXPECT_EQ(check(Check{"JIT", CheckState::missing, "off", std::string(kHostile)}), "");
}

TEST_F(SchemaTest, RefusesWhatIsNoRecord) {
  ASSERT_EQ(check(StopRecord{time_, 10, 3}), "");
  const std::string good = line_;
  auto with = [&](std::string_view from, std::string_view to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return validate_(line);
  };
  EXPECT_EQ(with("\"lost\":3", "\"lost\":3,\"added\":1"), "") << "adding keys is compatible";
  EXPECT_NE(with("\"lost\"", "\"missing\""), "");
  EXPECT_NE(with(":10", ":-10"), "");
  EXPECT_NE(with(":10", ":\"10\""), "");
  EXPECT_NE(with(":10", ":null"), "");
  EXPECT_NE(with("\"stop\"", "\"start\""), "");
  EXPECT_NE(with("\"stop\"", "\"halt\""), "");
  EXPECT_NE(with("Z\"", "\""), "");
  EXPECT_NE(with("T", " "), "");
  EXPECT_NE(validate_("[]"), "");
  EXPECT_NE(validate_("{}"), "");
}

}  // namespace
}  // namespace bpftrap
