// SPDX-License-Identifier: GPL-2.0-only
// The table on a terminal: colours, row width, columns.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <sstream>

#include "e2e/bpftrap.h"
#include "e2e/shell_words.h"
#include "e2e/storm.h"
#include "e2e/table_text.h"
#include "e2e/victim.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using TerminalTest = TracingTest;
using Argv = std::vector<std::string>;

// A pseudo-terminal whose other side is the output of bpftrap.
class Terminal {
 public:
  Terminal() {
    char name[64];
    if (own_ >= 0 && ::grantpt(own_) == 0 && ::unlockpt(own_) == 0 &&
        ::ptsname_r(own_, name, sizeof name) == 0) {
      side_ = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(side_);
    ::close(own_);
  }

  bool works() const { return side_ >= 0; }
  int side() const { return side_; }
  void resize(unsigned short columns) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 24;
    ::ioctl(own_, TIOCSWINSZ, &size);
  }
  // Waits until bpftrap has written this many lines.
  void await_lines(std::ptrdiff_t lines) {
    while (std::count(text_.begin(), text_.end(), '\n') < lines && read_more()) {
    }
  }
  // Everything that was written. No carriage returns.
  std::string text() {
    ::fcntl(own_, F_SETFL, O_NONBLOCK);
    while (read_more()) {
    }
    ::fcntl(own_, F_SETFL, 0);
    text_.erase(std::remove(text_.begin(), text_.end(), '\r'), text_.end());
    return text_;
  }

 private:
  bool read_more() {
    char buffer[4096];
    ssize_t size = ::read(own_, buffer, sizeof buffer);
    text_.append(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
    return size > 0;
  }

  int own_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  int side_ = -1;
  std::string text_;
};

// The output of bpftrap on a terminal about one workload.
std::string on_terminal(const Argv& environment) {
  Terminal terminal;
  if (!terminal.works()) {
    return "";
  }
  Gate gate;
  Child child([&] {
    gate.wait();
    return exec_self({"exit", "1"});
  });
  Bpftrap::Setup setup;
  setup.stdout_fd = terminal.side();
  setup.environment = environment;
  Bpftrap bpftrap({"exec", "--pid", std::to_string(child.pid()), "--count", "2"}, setup);
  terminal.await_lines(1);
  gate.open();
  child.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  return terminal.text();
}

// The lines of a run of `bpftrap exec ARGS...` on a terminal of this width, about a workload that
// is executed and ends. The terminal has the width `later` when the workload runs.
Argv lines_on_terminal(unsigned short columns, unsigned short later, Argv args) {
  Terminal terminal;
  terminal.resize(columns);
  Gate gate;
  Child child([&] {
    gate.wait();
    return exec_self({"exit", "1", std::string(300, 'x'), "日本語"});
  });
  Argv words{"exec", "--color", "never", "--pid", std::to_string(child.pid())};
  words.insert(words.end(), args.begin(), args.end());
  Bpftrap::Setup setup;
  setup.stdout_fd = terminal.side();
  Bpftrap bpftrap(words, setup);
  terminal.await_lines(1);
  terminal.resize(later);
  gate.open();
  child.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  Argv lines;
  std::istringstream text(terminal.text());
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  return lines;
}

// The header and the two rows of a workload: see above.
std::string header_on_terminal(unsigned short columns, const Argv& args = {}) {
  Argv lines = lines_on_terminal(columns, columns, args);
  EXPECT_EQ(lines.size(), 3U);
  return lines.empty() ? "" : lines[0];
}

TEST_F(TerminalTest, ColorsOnATerminalUnlessNoColorIsSet) {
  if (::access("/dev/ptmx", R_OK | W_OK) != 0 || on_terminal({"TERM=xterm"}).empty()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  struct {
    Argv environment;
    bool colors;
  } cases[] = {
      {{"TERM=xterm"}, true},
      {{"TERM=xterm", "NO_COLOR=1"}, false},
      {{"TERM=xterm", "NO_COLOR="}, true},
      {{"TERM=dumb"}, false},
  };
  for (const auto& c : cases) {
    int colors = 0;
    std::string plain = without_colors(on_terminal(c.environment), &colors);
    EXPECT_EQ(colors > 0, c.colors) << testing::PrintToString(c.environment);
    EXPECT_TRUE(is_terminal_safe(plain));
  }
}

TEST_F(TerminalTest, RowsEndAtTheTerminalAndFollowItsSize) {
  if (!Terminal().works()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  for (unsigned short columns : {80, 100, 160}) {
    for (unsigned short later : {80, 100, 160}) {
      Argv lines = lines_on_terminal(columns, later, {});
      ASSERT_EQ(lines.size(), 3U);
      EXPECT_LE(characters(lines[0]).size(), columns);
      for (std::size_t i : {1U, 2U}) {
        EXPECT_EQ(characters(lines[i]).size(), later) << lines[i];
        EXPECT_TRUE(lines[i].ends_with("…")) << lines[i];
      }
    }
  }
  EXPECT_EQ(split(header_on_terminal(80)),
            (Argv{"TIME", "PID", "PARENT", "DURATION", "STATUS", "COMMAND"}));
  EXPECT_EQ(split(header_on_terminal(100)).at(1), "EVENT");
}

TEST_F(TerminalTest, AtLeast30ColumnsAreLeftForTheCommand) {
  if (!Terminal().works()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  std::string header = header_on_terminal(80);
  EXPECT_LE(header.find("COMMAND"), 50U) << header;
  header = header_on_terminal(80, {"--columns", "TIME,PID,DURATION,CPU,RSS,STATUS,COMMAND"});
  EXPECT_LE(header.find("COMMAND"), 50U) << "those of `exit`: " << header;
}

TEST_F(TerminalTest, WideRowsAndThoseInAPipeAreWhole) {
  if (!Terminal().works()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  Argv lines = lines_on_terminal(80, 80, {"--wide"});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].ends_with("COMMAND")) << lines[0];
  for (std::size_t i : {1U, 2U}) {
    EXPECT_TRUE(lines[i].ends_with("x '日本語'")) << lines[i];
  }
}

// Any process of the session can do that, also PROGRAM.
void take_foreground(int terminal) {
  set_handler(SIGTTOU, SIG_IGN);
  ::setpgid(0, 0);
  ::tcsetpgrp(terminal, ::getpid());
  termios settings{};
  ::tcgetattr(terminal, &settings);
  settings.c_lflag |= TOSTOP;
  ::tcsetattr(terminal, TCSANOW, &settings);
}

TEST_F(TerminalTest, AProcessThatTakesTheForegroundDoesNotStopIt) {
  Terminal terminal;
  if (!terminal.works()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  SharedWords words;
  Bpftrap::Setup setup;
  setup.stdout_fd = terminal.side();
  setup.before_exec = [&] {
    ::setsid();
    ::ioctl(terminal.side(), TIOCSCTTY, 0);
    if (::fork() == 0) {
      take_foreground(terminal.side());
      words[0] = static_cast<std::uint64_t>(::getpid());
      ::_exit(exec_self({"pause"}));
    }
    while (words[0] == 0) {
      sleep_for(1ms);
    }
  };
  Gate gate;
  Child child([&] {
    gate.wait();
    return exec_self({"exit", "1"});
  });
  Bpftrap bpftrap({"exec", "--pid", std::to_string(child.pid()), "--count", "2"}, setup);
  for (int i = 0; i < 5000 && terminal.text().empty(); ++i) {
    sleep_for(1ms);
  }
  gate.open();
  child.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  ::kill(static_cast<pid_t>(words[0]), SIGKILL);
  std::string text = terminal.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
}

// 10,000 rows of a storm, with long command lines, while the terminal changes its width.
TEST_F(TerminalTest, TenThousandRowsWhileTheTerminalIsResized) {
  Terminal terminal;
  if (!terminal.works()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  constexpr std::ptrdiff_t rows = 10'000;
  const unsigned short widths[] = {80, 100, 160};
  ScratchDir scratch;
  const std::string tiny = write_tiny_program(scratch);
  terminal.resize(widths[0]);
  Bpftrap::Setup setup;
  setup.stdout_fd = terminal.side();
  Bpftrap bpftrap({"exec", "--color", "never", "--user", storm_user, "--columns", "+ANCESTORS",
                   "--count", std::to_string(rows)},
                  setup);
  terminal.await_lines(1);
  Child storm([&] {
    StormOptions options{.processes = rows / 2, .program = tiny, .args = {std::string(300, 'x')}};
    return make_storm(options).wrong_status == 0 ? 0 : 1;
  });
  for (std::ptrdiff_t seen = 1; seen <= rows; seen += 250) {
    terminal.await_lines(seen);
    terminal.resize(widths[static_cast<std::size_t>(seen / 250) % std::size(widths)]);
  }
  terminal.await_lines(1 + rows);
  EXPECT_EQ(storm.wait().status, 0);
  EXPECT_EQ(bpftrap.wait(), 0);
  std::map<std::size_t, std::size_t> found;
  std::istringstream text(terminal.text());
  std::string line;
  std::getline(text, line);
  while (std::getline(text, line)) {
    ++found[characters(line).size()];
    ASSERT_TRUE(line.ends_with("…")) << line;
  }
  std::size_t all = 0;
  for (auto [width, count] : found) {
    EXPECT_NE(std::find(std::begin(widths), std::end(widths), width), std::end(widths)) << width;
    all += count;
  }
  EXPECT_EQ(all, static_cast<std::size_t>(rows));
  EXPECT_EQ(found.size(), std::size(widths)) << "rows of each width";
}

}  // namespace
}  // namespace e2e
