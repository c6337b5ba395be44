// SPDX-License-Identifier: GPL-2.0-only
// The table: aligned, one row per record, and safe whatever name a process gives itself.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <sstream>

#include "e2e/bpftrap.h"
#include "e2e/shell_words.h"
#include "e2e/table_text.h"

namespace e2e {
namespace {

using TableTest = TracingTest;
using Argv = std::vector<std::string>;

// Rows with this pid in the given column.
Argv rows_of(const Argv& lines, std::size_t column, pid_t pid) {
  Argv rows;
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(rows), [&](const std::string& line) {
    Argv cells = split(line);
    return cells.size() > column && cells[column] == std::to_string(pid);
  });
  return rows;
}

std::string name_of_test() {
  return self_path().substr(self_path().rfind('/') + 1).substr(0, 15);
}

TEST_F(TableTest, ColumnsOfExecAreAligned) {
  Bpftrap bpftrap({"exec"});
  bpftrap.await_start();
  Ended process = run_workload({"exit", "3"});
  EXPECT_EQ(bpftrap.stop(), 0);
  Argv lines = bpftrap.lines();
  const std::string header = lines.front();
  EXPECT_EQ(split(header),
            (Argv{"TIME", "EVENT", "PID", "PARENT", "USER", "DURATION", "STATUS", "COMMAND"}));
  Argv rows = rows_of(lines, 2, process.pid);
  ASSERT_EQ(rows.size(), 2U);
  const char* events[] = {"exec", "exit"};
  for (int i = 0; i < 2; ++i) {
    std::string row = characters(rows[i]);
    auto at = [&](const char* name) { return header.find(name); };
    EXPECT_EQ(row.substr(0, 12).find_first_not_of("0123456789:."), std::string::npos);
    EXPECT_EQ(row[at("EVENT") - 1], ' ');
    EXPECT_EQ(row.substr(at("EVENT"), 5), events[i] + std::string(" "));
    std::string pid = std::to_string(process.pid);
    EXPECT_EQ(row.substr(at("PID") + 3 - pid.size(), pid.size()), pid);
    const std::string parent = name_of_test() + "[" + std::to_string(::getpid()) + "]";
    EXPECT_EQ(row.substr(at("PARENT"), parent.size() + 1), parent + " ");
    // The name of the test is longer than its column.
    row.erase(at("PARENT"), parent.size() - std::min<std::size_t>(parent.size(), 18));
    EXPECT_NE(row[at("DURATION") + 7], ' ');
    EXPECT_EQ(row[at("DURATION") + 8], ' ');
    EXPECT_EQ(row.substr(at("STATUS"), 2), i == 0 ? "- " : "3 ");
    EXPECT_EQ(row.substr(at("COMMAND")), characters(self_path() + " --workload exit 3"));
  }
}

TEST_F(TableTest, ColumnsOfExitAreAligned) {
  Bpftrap bpftrap({"exit"});
  bpftrap.await_start();
  Ended executed = run_workload({"exit", "3"});
  Child victim([] { return ::pause(); });
  victim.kill(SIGKILL);
  Ended killed = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Argv lines = bpftrap.lines();
  const std::string header = lines.front();
  EXPECT_EQ(split(header),
            (Argv{"TIME", "PID", "PARENT", "USER", "DURATION", "CPU", "RSS", "STATUS", "COMMAND"}));
  Argv rows = rows_of(lines, 1, executed.pid);
  ASSERT_EQ(rows.size(), 1U);
  std::string row = characters(rows[0]);
  EXPECT_TRUE(row.ends_with(" 3          " + characters(self_path() + " --workload exit 3")))
      << row;
  EXPECT_EQ(split(row)[2], name_of_test() + "[" + std::to_string(::getpid()) + "]");
  rows = rows_of(lines, 1, killed.pid);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_NE(rows[0].find("SIGKILL from " + name_of_test() + "[" + std::to_string(::getpid()) + "]"),
            std::string::npos)
      << rows[0];
}

// The column COMMAND of the first row about the process.
std::string command_of(const Bpftrap& bpftrap, pid_t pid) {
  Argv rows = rows_of(bpftrap.lines(), 2, pid);
  // It follows the cells of one word each: TIME EVENT PID PARENT USER DURATION STATUS.
  std::istringstream row(rows.empty() ? "" : rows.front());
  std::string skipped;
  for (int i = 0; i < 7; ++i) {
    row >> skipped;
  }
  std::string command;
  std::getline(row >> std::ws, command);
  return command;
}

TEST_F(TableTest, CommandLinesCanBePasted) {
  std::string all_bytes;
  for (int byte = 1; byte < 256; ++byte) {
    all_bytes += static_cast<char>(byte);
  }
  const Argv commands[] = {
      {"plain", "--option=value", "/a/path", "", "", "x y", "it's", "\"", "$HOME", "`id`", "a;b"},
      {"with newline", "a\nb\tc\r", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x7f\x9b", "\xff"},
      {"ünïcödé", "€ 漢字", "\u202Egpj.exe", "\u200B", "C1: \u009b31m", "*", "~", "#", "!x"},
      {"all", all_bytes, all_bytes + all_bytes},
  };
  for (const Argv& argv : commands) {
    Bpftrap bpftrap({"exec"});
    bpftrap.await_start();
    Ended process = Child([&] { return exec_argv(self_path(), argv); }).wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_TRUE(is_terminal_safe(bpftrap.output()));
    EXPECT_EQ(shell_words(command_of(bpftrap, process.pid)), argv);
  }
}

TEST_F(TableTest, NamesOfProcessesPutNothingOnTheTerminal) {
  ScratchDir scratch;
  const char* names[] = {"\x1b[31mred",
                         "a\nb\rc",
                         "\x9b"
                         "31m",
                         "\xc2\x9b"
                         "31m",
                         "\xff\xfe",
                         "a\x07"};
  Bpftrap exec({"exec", "--color", "never"});
  Bpftrap exit({"exit", "--color", "never"});
  exec.await_start();
  exit.await_start();
  std::vector<Ended> processes;
  for (const char* name : names) {
    processes.push_back(run_workload({"rename", name}));
    // The name also comes from a file name, and appears as that of a killer.
    std::string path = scratch / name;
    ASSERT_EQ(::symlink(self_path().c_str(), path.c_str()), 0);
    processes.push_back(Child([&] { return exec_argv(path, {path}); }).wait());
    Child victim([] { return ::pause(); });
    Child([&] {
      ::prctl(PR_SET_NAME, name);
      return ::kill(victim.pid(), SIGKILL);
    }).wait();
    victim.wait();
  }
  EXPECT_EQ(exec.stop(), 0);
  EXPECT_EQ(exit.stop(), 0);
  EXPECT_TRUE(is_terminal_safe(exec.output()));
  EXPECT_TRUE(is_terminal_safe(exit.output()));
  for (const Ended& process : processes) {
    EXPECT_EQ(rows_of(exec.lines(), 2, process.pid).size(), 2U);
    EXPECT_EQ(rows_of(exit.lines(), 1, process.pid).size(), 1U);
  }
}

bool has_header(const Bpftrap& bpftrap) {
  return !bpftrap.lines().empty() && bpftrap.lines().front().rfind("TIME", 0) == 0;
}

// Waits until bpftrap has entered the sandbox, which it does once it is attached.
void await_sandbox(pid_t pid) {
  const std::string status = "/proc/" + std::to_string(pid) + "/status";
  auto confined = [&] {
    std::vector<std::string> lines = lines_of_file(status);
    return std::find(lines.begin(), lines.end(), "Seccomp:\t2") != lines.end();
  };
  for (int i = 0; i < 10'000 && !confined(); ++i) {
    sleep_for(std::chrono::milliseconds(1));
  }
  sleep_for(std::chrono::milliseconds(100));
}

TEST_F(TableTest, NoHeaderLeavesOnlyRows) {
  for (bool header : {true, false}) {
    Gate gate;
    Child child([&] {
      gate.wait();
      return exec_self({"nothing"});
    });
    Argv args{"exec", "--pid", std::to_string(child.pid()), "--timeout", "2"};
    if (!header) {
      args.push_back("--no-header");
    }
    Bpftrap bpftrap(args);
    if (header) {
      bpftrap.await_start();
    } else {
      await_sandbox(bpftrap.pid());  // there is no line to wait for
    }
    gate.open();
    Ended process = child.wait();
    EXPECT_EQ(bpftrap.wait(), 0);
    EXPECT_EQ(has_header(bpftrap), header);
    EXPECT_EQ(bpftrap.lines().size(), header ? 3U : 2U);
    EXPECT_EQ(rows_of(bpftrap.lines(), 2, process.pid).size(), 2U);
  }
}

TEST_F(TableTest, ColorsAreItsOwnOrNone) {
  for (const char* when : {"always", "never", "auto"}) {
    SCOPED_TRACE(when);
    Bpftrap bpftrap({"exec", "--color", when});
    bpftrap.await_start();
    run_workload({"exit", "1", "\x1b[35mpurple"});
    EXPECT_EQ(bpftrap.stop(), 0);
    int colors = 0;
    std::string plain = without_colors(bpftrap.output(), &colors);
    EXPECT_EQ(colors > 0, when == std::string("always"))
        << "auto means no colour, because a pipe is not a terminal";
    EXPECT_EQ(bpftrap.output().find("\x1b[35m"), std::string::npos);
    EXPECT_TRUE(is_terminal_safe(plain));
    for (const std::string& line : bpftrap.lines()) {
      std::size_t last = line.rfind("\x1b[");
      EXPECT_TRUE(last == std::string::npos || line.compare(last, 4, "\x1b[0m") == 0)
          << "a row does not reset its colour";
    }
  }
}

TEST_F(TableTest, ColumnsByHeaderAndByKey) {
  Bpftrap bpftrap({"exec", "--columns", "+cwd,exit_code,COMM,EVENT"});
  bpftrap.await_start();
  Ended process = run_workload({"exit", "3"});
  EXPECT_EQ(bpftrap.stop(), 0);
  Argv header = split(bpftrap.lines().front());
  EXPECT_EQ(Argv(header.end() - 4, header.end()), (Argv{"cwd", "exit_code", "COMM", "COMMAND"}))
      << "EVENT is there already";
  Argv rows = rows_of(bpftrap.lines(), 2, process.pid);
  ASSERT_EQ(rows.size(), 2U);
  char* directory = ::get_current_dir_name();
  Argv cells = split(rows[1]);
  EXPECT_EQ(Argv(cells.begin() + 7, cells.begin() + 10), (Argv{directory, "3", "bpftrap_e2e_tes"}))
      << rows[1];
  std::free(directory);
}

TEST_F(TableTest, ColumnsHelpListsThem) {
  Outcome outcome = run_bpftrap({"exit", "--columns", "help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.errors, "");
  for (const char* name : {"\nPARENT ", "\nCOMMAND ", "\ncontainer_id ", "\ncpu_user_ns "}) {
    EXPECT_NE(outcome.output.find(name), std::string::npos) << name;
  }
  // A header shows the readable form, and a key the raw value.
  std::string text = outcome.output;
  std::size_t header = text.find("\nTIME ");
  std::size_t key = text.find("\nts ");
  ASSERT_NE(header, std::string::npos);
  ASSERT_NE(key, std::string::npos);
  EXPECT_LT(text.find("millisecond", header), text.find('\n', header + 1));
  EXPECT_LT(text.find("nanoseconds", key), text.find('\n', key + 1));
}

TEST_F(TableTest, TimesInUtc) {
  Bpftrap::Setup setup;
  setup.environment = {"TZ=IST-5:30"};
  for (bool utc : {false, true}) {
    Argv args{"exec"};
    if (utc) {
      args.emplace_back("--utc");
    }
    Bpftrap bpftrap(args, setup);
    bpftrap.await_start();
    std::time_t before = std::time(nullptr);
    Ended process = run_workload({"nothing"});
    std::time_t after = std::time(nullptr);
    EXPECT_EQ(bpftrap.stop(), 0);
    Argv rows = rows_of(bpftrap.lines(), 2, process.pid);
    ASSERT_EQ(rows.size(), 2U);
    auto time_of_day = [&](std::time_t time) {
      time += utc ? 0 : (5 * 60 + 30) * 60;
      std::tm parts{};
      ::gmtime_r(&time, &parts);
      char text[16];
      std::strftime(text, sizeof text, "%H:%M:%S", &parts);
      return std::string(text);
    };
    std::string shown = rows[0].substr(0, 8);
    EXPECT_TRUE(shown == time_of_day(before) || shown == time_of_day(after)) << rows[0];
  }
}

TEST_F(TableTest, TreeViewIndentsByDescent) {
  const std::string inner = self_path() + " --workload exit 3";
  Outcome outcome =
      run_bpftrap({"exec", "--no-header", "--forest", "--", "/bin/sh", "-c", inner + "; exit 4"});
  EXPECT_EQ(outcome.status, 4) << outcome.errors;
  Argv commands;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) {
    Argv cells = split(line);
    ASSERT_GT(cells.size(), 7U) << line;
    bool inner_one = line.find("'") == std::string::npos;
    std::size_t at = line.find(inner_one ? self_path() : "/bin/sh");
    ASSERT_NE(at, std::string::npos) << line;
    commands.push_back(cells[1] + line.substr(at - 5, 5) + (inner_one ? "inner" : "outer"));
  }
  EXPECT_EQ(commands,
            (Argv{"exec     outer", "exec  \\_ inner", "exit  \\_ inner", "exit     outer"}));
}

TEST_F(TableTest, TreeViewOfEnds) {
  // The middle one executes nothing.
  Outcome outcome = run_bpftrap({"exit", "--no-header", "--forest", "--", "/bin/sh", "-c",
                                 "(/bin/sh -c 'exit 3'; exit 4); exit 5"});
  EXPECT_EQ(outcome.status, 5) << outcome.errors;
  std::vector<std::string> lines;
  std::istringstream output(outcome.output);
  for (std::string line; std::getline(output, line);) {
    lines.push_back(line);
  }
  ASSERT_EQ(lines.size(), 3U) << outcome.output;
  // Between STATUS, which is 10 wide, and the command: a space, then the indent.
  std::string gap(10, ' ');
  EXPECT_TRUE(lines[0].ends_with(" 3" + gap + "     \\_ /bin/sh -c 'exit 3'")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with(" 4" + gap + " \\_ [sh]")) << lines[1];
  EXPECT_NE(lines[2].find(" 5" + gap + "/bin/sh -c "), std::string::npos) << lines[2];
}

}  // namespace
}  // namespace e2e
