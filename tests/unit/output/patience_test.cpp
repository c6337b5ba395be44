// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/patience.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "core/os/unique_fd.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Patience::Bounds bounds{200ms, 600ms};
constexpr std::chrono::milliseconds tolerance = 5s;  // of a busy machine

class PatienceTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = UniqueFd(ends[0]);
    writer_ = UniqueFd(ends[1]);
    fill();
  }
  void TearDown() override {
    while (signals_.take().number != 0) {
    }
  }

  void fill() {
    const std::string page(4096, 'x');
    while (::write(writer_.get(), page.data(), page.size()) > 0) {
    }
  }
  void take_page() {
    char page[4096];
    EXPECT_GT(::read(reader_.get(), page, sizeof page), 0);
  }
  bool await() { return patience_.await_writable(writer_.get()); }

  StopSignals signals_;
  UniqueFd reader_, writer_;
  Patience patience_{signals_, bounds};
  Clock::time_point begin_ = Clock::now();
};

TEST_F(PatienceTest, WithoutASignalItWaitsAsLongAsTheReaderTakes) {
  std::thread reader([&] {
    std::this_thread::sleep_for(2 * bounds.in_all);
    take_page();
  });
  EXPECT_TRUE(await());
  EXPECT_GE(Clock::now() - begin_, 2 * bounds.in_all);
  EXPECT_FALSE(patience_.is_over());
  reader.join();
}

TEST_F(PatienceTest, AfterASignalAReaderThatStallsEndsTheWait) {
  patience_.limit();
  EXPECT_FALSE(await());
  EXPECT_GE(Clock::now() - begin_, bounds.without_progress);
  EXPECT_TRUE(patience_.is_over());
  take_page();
  EXPECT_FALSE(await()) << "from then on always";
}

TEST_F(PatienceTest, ASignalDuringTheWaitLimitsIt) {
  ::raise(SIGTERM);
  EXPECT_FALSE(await());
  EXPECT_GE(Clock::now() - begin_, bounds.without_progress);
}

TEST_F(PatienceTest, AfterASignalAReaderThatIsSlowEndsTheWaitToo) {
  patience_.limit();
  int pages = 0;
  take_page();
  for (; await() && Clock::now() - begin_ < tolerance; ++pages) {
    fill();
    std::this_thread::sleep_for(bounds.without_progress / 4);
    take_page();
  }
  EXPECT_TRUE(patience_.is_over());
  EXPECT_GT(pages, 1);
  EXPECT_GE(Clock::now() - begin_, bounds.in_all);
}

TEST_F(PatienceTest, ASecondSignalEndsTheWaitAtOnce) {
  Patience patient(signals_, {1h, 1h});
  patient.limit();
  ::raise(SIGTERM);
  EXPECT_FALSE(patient.await_writable(writer_.get()));
  EXPECT_LT(Clock::now() - begin_, tolerance);
}

TEST_F(PatienceTest, TheBoundsOfBpftrapAreThoseOfItsDocumentation) {
  EXPECT_EQ(Patience::Bounds().without_progress, 2s);
  EXPECT_EQ(Patience::Bounds().in_all, 20s);
}

}  // namespace
}  // namespace bpftrap
