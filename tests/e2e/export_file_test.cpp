// SPDX-License-Identifier: GPL-2.0-only
// The files of --timeline, --perfetto and --compile-commands: FIFOs, and files that exist.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "e2e/recording.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class ExportFileTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    if (!IsSkipped()) {
      ASSERT_EQ(run_bpftrap({"record", "-o", path_, "--", "/bin/true"}).status, 0);
      ASSERT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
      std::ofstream(earlier_) << content;
      ASSERT_EQ(::chmod(earlier_.c_str(), 0640), 0);
    }
  }
  static std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static struct stat status_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status;
  }

  static constexpr const char* content = "earlier content without an end";
  ScratchDir directory_;
  std::string path_ = directory_ / "recording";
  std::string fifo_ = directory_ / "fifo";
  std::string earlier_ = directory_ / "earlier";
};

TEST_F(ExportFileTest, ASignalEndsTheWaitForAReader) {
  const std::string waits = "waiting for somebody to read '" + fifo_ + "' (--perfetto)";
  for (const Words& args :
       {Words{"show", path_, "--perfetto", fifo_},
        Words{"record", "-o", directory_ / "other", "--perfetto", fifo_, "--", "/bin/true"}}) {
    Bpftrap waiting(args);
    for (int i = 0; i < 10'000 && waiting.errors().find(waits) == std::string::npos; ++i) {
      sleep_for(1ms);
    }
    ASSERT_NE(waiting.errors().find(waits), std::string::npos) << waiting.errors();
    EXPECT_EQ(waiting.stop(), args[0] == "show" ? 0 : 125) << waiting.errors();
    EXPECT_NE(waiting.errors().find("stopped before anybody read"), std::string::npos)
        << waiting.errors();
  }
}

TEST_F(ExportFileTest, AFileIsReplacedWhenTheNewContentIsComplete) {
  struct stat before = status_of(earlier_);
  EXPECT_EQ(run_bpftrap({"show", path_, "--compile-commands=" + earlier_}).status, 0);
  EXPECT_EQ(text_of(earlier_), "[]\n");
  EXPECT_EQ(status_of(earlier_).st_ino, before.st_ino);
  EXPECT_EQ(status_of(earlier_).st_mode, before.st_mode);
  // `record` does it in its sandbox.
  std::ofstream(earlier_) << content;
  EXPECT_EQ(run_bpftrap({"record", "-o", directory_ / "other", "--compile-commands=" + earlier_,
                         "--", "/bin/true"})
                .status,
            0);
  EXPECT_EQ(text_of(earlier_), "[]\n");
  std::string page = directory_ / "page";
  Outcome recorded = run_bpftrap({"record", "-o", directory_ / "third", "--timeline", page,
                                  "--perfetto", earlier_, "--", "/bin/true"});
  EXPECT_EQ(recorded.status, 0) << recorded.errors;
  EXPECT_TRUE(text_of(page).starts_with("<!doctype html>"));
  EXPECT_EQ(text_of(earlier_).find(content), std::string::npos);
}

TEST_F(ExportFileTest, AnInterruptedExportLeavesTheFileAsItWas) {
  int reader = ::open(fifo_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_GE(::fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  // The first one blocks, because nobody reads the rest of the page.
  Bpftrap blocked({"show", path_, "--timeline", fifo_, "--compile-commands=" + earlier_});
  int waiting = 0;
  for (int i = 0; i < 10'000 && waiting < 4096; ++i) {
    sleep_for(1ms);
    ASSERT_EQ(::ioctl(reader, FIONREAD, &waiting), 0);
  }
  EXPECT_EQ(text_of(earlier_), content);
  blocked.stop();
  EXPECT_EQ(text_of(earlier_), content);
  ::close(reader);
}

}  // namespace
}  // namespace e2e
