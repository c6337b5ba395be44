// SPDX-License-Identifier: GPL-2.0-only
// Which processes yield an entry.
#include "core/export/compile_commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace bpftrap {
namespace {

using namespace std::string_view_literals;

class CompileCommandsTest : public testing::Test {
 protected:
  void exec(Pid pid, Pid parent, std::string_view args, bool script = false) {
    ExecRecord record;
    record.process.id = {pid, pid};
    record.process.parent = {parent, parent};
    std::string_view name = args.substr(0, args.find('\0'));
    record.filename = name;
    if (script) {
      record.interp = "/bin/sh";
    }
    record.args = Arguments{args, cut_};
    if (!directory_.empty()) {
      record.cwd = {ProcessFile::Kind::path, directory_};
    }
    commands_.write(record);
  }
  void fork(Pid pid, Pid parent) {
    ForkRecord record;
    record.process.id = {pid, pid};
    record.process.parent = {parent, parent};
    commands_.write(record);
  }
  std::string result() {
    commands_.finish();
    return out_;
  }

  std::string out_;
  WallClock clock_;
  CompileCommands commands_{SinkSetup{out_, clock_}};
  std::string directory_ = "/src";
  bool cut_ = false;
};

constexpr const char* entry_of_a =
    "[\n{\"directory\":\"/src\",\"file\":\"a.c\",\"output\":\"a.o\","
    "\"arguments\":[\"gcc\",\"-c\",\"a.c\"]}\n]\n";

TEST_F(CompileCommandsTest, NothingIsAnEmptyList) {
  exec(2, 1, "make\0"sv);
  EXPECT_EQ(result(), "[]\n");
  EXPECT_EQ(commands_.summary(), "0 entries");
}

TEST_F(CompileCommandsTest, StepsOfACompilerAreLeftOut) {
  exec(2, 1, "gcc\0-c\0a.c\0"sv);
  fork(3, 2);
  exec(3, 2, "cc1\0a.c\0"sv);
  fork(4, 2);
  fork(5, 4);
  exec(5, 4, "gcc\0-c\0step.c\0"sv);
  EXPECT_EQ(result(), entry_of_a);
  EXPECT_EQ(commands_.summary(), "1 entry");
}

TEST_F(CompileCommandsTest, ScriptThatExecutesOrStartsTheCompiler) {
  exec(2, 1, "gcc\0-c\0other.c\0"sv, true);
  exec(2, 1, "gcc\0-c\0a.c\0"sv);
  EXPECT_EQ(result(), entry_of_a);
}

TEST_F(CompileCommandsTest, LastCompilerOfAProcessCounts) {
  exec(2, 1, "cc\0-c\0a.c\0"sv);
  exec(2, 1, "gcc\0-c\0a.c\0"sv);
  EXPECT_EQ(result(), entry_of_a);
}

TEST_F(CompileCommandsTest, LaterCompilationOfAFileCounts) {
  exec(2, 1, "gcc\0-g\0-c\0a.c\0"sv);
  ExitRecord exit;
  exit.process.id = {2, 2};
  commands_.write(exit);
  exec(3, 1, "gcc\0-c\0a.c\0"sv);
  EXPECT_EQ(result(), entry_of_a);
}

TEST_F(CompileCommandsTest, EachSourceHasAnEntry) {
  exec(2, 1, "gcc\0-c\0a.c\0b.c\0"sv);
  EXPECT_EQ(result(),
            "[\n{\"directory\":\"/src\",\"file\":\"a.c\",\"output\":\"a.o\","
            "\"arguments\":[\"gcc\",\"-c\",\"a.c\"]},\n"
            "{\"directory\":\"/src\",\"file\":\"b.c\",\"output\":\"b.o\","
            "\"arguments\":[\"gcc\",\"-c\",\"b.c\"]}\n]\n");
}

TEST_F(CompileCommandsTest, IncompleteCommandsAreCounted) {
  cut_ = true;
  exec(2, 1, "gcc\0-c\0a.c\0"sv);
  cut_ = false;
  directory_.clear();
  exec(3, 1, "gcc\0-c\0a.c\0"sv);
  EXPECT_EQ(result(), "[]\n");
  EXPECT_EQ(
      commands_.summary(),
      "0 entries; 2 commands are left out, because they were recorded in part only, or too long");
}

TEST_F(CompileCommandsTest, BytesThatAreNoText) {
  exec(2, 1, "gcc\0-c\0\xff\"\n.c\0"sv);
  EXPECT_NE(result().find("\"file\":\"\xEF\xBF\xBD\\\"\\n.c\""), std::string::npos) << out_;
}

// A hostile command line must not fill memory: each entry repeats the other arguments.
TEST_F(CompileCommandsTest, VeryLongCommandsAreLeftOut) {
  std::string args = std::string("gcc\0-c\0", 7);
  for (int i = 0; i < 5000; ++i) {
    args += "a" + std::to_string(i) + ".c";
    args += '\0';
  }
  exec(2, 1, args);
  EXPECT_EQ(commands_.summary(), "0 entries");
  args += "-D" + std::string(100'000, 'x');
  args += '\0';
  exec(3, 1, args);
  std::string text = result();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5002);
  EXPECT_EQ(
      commands_.summary(),
      "5000 entries; 1 command is left out, because it was recorded in part only, or too long");
}

}  // namespace
}  // namespace bpftrap
