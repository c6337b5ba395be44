// SPDX-License-Identifier: GPL-2.0-only
// Begin and end of sweeps, with a ring buffer that the test fills.
#include "core/trace/sweeper.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/producer.h"

namespace bpftrap {
namespace {

class Target final : public Sweepable {
 public:
  Target(std::string name, std::string& log) : name_(std::move(name)), log_(log) {}

  bool wants_sweep() const override { return wants; }
  void mark_dead() override {
    log_ += "mark " + name_ + '\n';
    wants = false;
  }
  void forget_dead() override { log_ += "forget " + name_ + '\n'; }

  bool wants = false;

 private:
  std::string name_;
  std::string& log_;
};

class SweeperTest : public testing::Test {
 protected:
  void consume() {
    ring_.consume([](std::span<const std::byte>) { return true; });
  }

  Producer producer_{4096};
  RingBuffer ring_{producer_.fd(), 4096};
  EventLoop loop_;
  std::string log_;
  Target first_{"a", log_};
  Target second_{"b", log_};
  Sweeper sweeper_{loop_, ring_, {&first_, &second_}};
};

TEST_F(SweeperTest, BeginsOnlyWhenOneOfThemWantsIt) {
  sweeper_.advance();
  EXPECT_EQ(log_, "");
  second_.wants = true;
  sweeper_.advance();
  EXPECT_EQ(log_, "mark a\nmark b\nforget a\nforget b\n") << "the ring buffer is empty";
}

TEST_F(SweeperTest, EndsWhenWhatTheDeadLeftIsHandled) {
  producer_.put("end of a dead process");
  first_.wants = true;
  sweeper_.advance();
  EXPECT_EQ(log_, "mark a\nmark b\n");
  producer_.put("of one that died later");
  first_.wants = true;
  sweeper_.advance();
  EXPECT_EQ(log_, "mark a\nmark b\n") << "a sweep is still running";
  ring_.consume([](std::span<const std::byte>) { return true; }, 1);
  sweeper_.advance();
  EXPECT_EQ(log_, "mark a\nmark b\nforget a\nforget b\n");
  log_.clear();
  sweeper_.advance();
  EXPECT_EQ(log_, "mark a\nmark b\n") << "the sweep that was requested during the first";
  consume();
  sweeper_.advance();
  EXPECT_EQ(log_, "mark a\nmark b\nforget a\nforget b\n");
}

// Acts as a process that dies while a sweep marks. Its record arrives at that moment.
class Dying final : public Sweepable {
 public:
  explicit Dying(Producer& producer) : producer_(producer) {}

  bool wants_sweep() const override { return !forgot; }
  void mark_dead() override { producer_.put("end"); }
  void forget_dead() override { forgot = true; }

  bool forgot = false;

 private:
  Producer& producer_;
};

TEST_F(SweeperTest, AnEndDuringTheMarkingIsHandledFirst) {
  Dying target(producer_);
  Sweeper sweeper(loop_, ring_, {&target});
  sweeper.advance();
  EXPECT_FALSE(target.forgot);
  consume();
  sweeper.advance();
  EXPECT_TRUE(target.forgot);
}

TEST_F(SweeperTest, ItsLoopAdvancesIt) {
  first_.wants = true;
  loop_.each_second([this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(log_, "mark a\nmark b\nforget a\nforget b\n");
}

}  // namespace
}  // namespace bpftrap
