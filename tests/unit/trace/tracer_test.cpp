// SPDX-License-Identifier: GPL-2.0-only
// The way of records with a ring buffer that the test itself fills.
#include "core/trace/tracer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/output/output_file.h"
#include "unit/producer.h"

namespace bpftrap {
namespace {

using namespace std::literals;
using Log = std::vector<std::string>;

// Wants one sweep, during which a process ends, whose record arrives then.
class SweepingHandler final : public RecordHandler {
 public:
  explicit SweepingHandler(Producer& producer) : producer_(producer) {}

  Result handle(std::span<const std::byte> bytes, Sink& /*sink*/) override {
    log.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Result::kept;
  }
  std::uint64_t lost_records(const bpftrap_lost& /*lost*/) const override { return 0; }
  bool wants_sweep() const override { return log == Log{"before"}; }
  void mark_dead() override {
    log.push_back("mark");
    producer_.put("end of a dead one");
  }
  void forget_dead() override { log.push_back("forget"); }

  Log log;

 private:
  Producer& producer_;
};

TEST(Tracer, ForgetsTheDeadOnlyWhenWhatTheyLeftIsHandled) {
  std::string path = testing::TempDir() + "bpftrap-tracer-" + std::to_string(::getpid());
  Producer producer(4096);
  producer.put("before");
  EventLoop loop;
  StopSignals signals;
  RingBuffer ring(producer.fd(), 4096);
  LostCounter lost({1, [](bpftrap_lost*) { return true; }});
  SweepingHandler handler(producer);
  Output output(open_output_file(path), path);
  WallClock clock;
  Sink sink(JsonSink(output.buffer(), clock));
  Tracer tracer({loop, signals, ring, lost, handler, sink, output, clock, [] {}},
                {"exec", std::nullopt, 1ns});
  EXPECT_EQ(tracer.run(), 0);
  EXPECT_EQ(handler.log, (Log{"before", "mark", "end of a dead one", "forget"}));
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace bpftrap
