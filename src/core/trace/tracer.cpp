// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/tracer.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <utility>

#include "core/os/error.h"
#include "core/os/file.h"
#include "core/os/messages.h"

namespace bpftrap {

namespace {

// Maximum records handled between checks of signals and the output.
constexpr std::size_t batch_records = 1024;

// At the end, the wait for a record that a BPF program has begun: since 7.0 a program may be
// preempted, and a busy CPU may then keep it waiting.
constexpr useconds_t unfinished_interval = 100;
constexpr int unfinished_rounds = 20'000;

// Returns the `start` record without its time.
StartRecord describe_machine(std::string command) {
  utsname names{};
  ::uname(&names);
  StartRecord record;
  record.host = names.nodename;
  record.kernel = names.release;
  record.boot_id = read_file("/proc/sys/kernel/random/boot_id").value_or("");
  while (!record.boot_id.empty() && record.boot_id.back() == '\n') {
    record.boot_id.pop_back();
  }
  record.command = std::move(command);
  return record;
}

}  // namespace

Tracer::Tracer(Parts parts, TracerOptions options)
    : parts_(std::move(parts)),
      output_(parts_.destination.output),
      options_(std::move(options)),
      patience_(parts_.signals) {}

void Tracer::run() {
  watch();
  start();
  parts_.loop.run();
  finish();
}

void Tracer::watch() {
  EventLoop& loop = parts_.loop;
  // Edge-triggered: records that arrive during the nap do not wake the reader.
  loop.watch(parts_.source.ring.fd(), EPOLLIN | EPOLLET,
             [this](std::uint32_t) { nap_.arm(options_.nap); });
  loop.watch(nap_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (nap_.take()) {
      consume();
    }
  });
  loop.each_second([this] { on_second(); });
  loop.watch(clock_steps_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (clock_steps_.take()) {
      parts_.destination.clock.reanchor();
    }
  });
  // Even without requested events, epoll reports a closed reader (EPOLLERR, EPOLLHUP).
  output_watched_ =
      loop.watch(output_.poll_fd(), 0, [this](std::uint32_t events) { on_output(events); });
  watch_stops();
}

void Tracer::watch_stops() {
  parts_.loop.watch(parts_.signals.fd(), EPOLLIN, [this](std::uint32_t) {
    StopSignals::Taken taken = parts_.signals.take();
    signalled_ = signalled_ || taken.number != 0;
    if (taken.number != 0 && (parts_.program == nullptr || parts_.program->ends_trace(taken))) {
      stop();
    }
  });
  if (options_.timeout) {
    parts_.loop.watch(timeout_.fd(), EPOLLIN, [this](std::uint32_t) { stop(); });
    timeout_.arm(*options_.timeout);
  }
}

void Tracer::start() {
  StartRecord start = describe_machine(options_.command);
  if (parts_.confine) {
    parts_.confine();
  }
  start.time = BootClock::now();
  if (parts_.observer != nullptr) {
    parts_.observer->live(start.time);
  }
  parts_.destination.sink.write(start);
  flush();
  if (parts_.program != nullptr) {
    parts_.program->start();
  }
}

void Tracer::on_second() {
  parts_.destination.clock.reanchor();
  if (!output_.full()) {
    account();  // while the reader stalls, one `lost` record adds up all losses
  }
  resume();
  flush_messages();
}

void Tracer::on_output(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    output_.set_reader_gone();
    stop();
    return;
  }
  resume();
}

void Tracer::resume() {
  bool was_full = output_.full();
  flush();
  if (was_full && !output_.full()) {
    consume();
  }
}

void Tracer::flush() {
  output_.flush();
  if (output_.reader_gone()) {
    stop();
    return;
  }
  std::uint32_t events = output_.wants_flush() ? static_cast<std::uint32_t>(EPOLLOUT) : 0;
  if (output_watched_ && events != output_events_) {
    parts_.loop.change(output_.poll_fd(), events);
    output_events_ = events;
  }
}

void Tracer::consume() {
  bool filled = false;
  auto handle = [this, &filled](std::span<const std::byte> bytes) {
    switch (parts_.handler.handle(bytes, parts_.destination.sink)) {
      case RecordHandler::Result::written:
        ++records_;
        break;
      case RecordHandler::Result::malformed:
        ++malformed_;
        break;
      case RecordHandler::Result::kept:
        break;
    }
    // Check after each record: a batch of 200 KB lines would far exceed the limit.
    filled = output_.full();
    return !done() && !filled;
  };
  if (output_.full() || done()) {
    return;  // on_output() continues
  }
  std::size_t consumed = parts_.source.ring.consume(handle, batch_records);
  bool more = consumed == batch_records;
  if (!output_.gathers(more)) {
    flush();
  }
  if (done()) {
    stop();
  } else if (more || (filled && !output_.full())) {
    nap_.arm(std::chrono::nanoseconds(1));
  }
}

void Tracer::account() {
  const bpftrap_lost& lost = parts_.source.lost.read();
  if (parts_.observer != nullptr) {
    parts_.observer->account(lost);
  }
  std::uint64_t all = parts_.handler.lost_records(lost) + malformed_;
  if (all > lost_told_) {
    parts_.destination.sink.write(LostRecord{BootClock::now(), all - lost_told_});
    lost_told_ = all;
  }
}

void Tracer::drain_ring() {
  RingBuffer& ring = parts_.source.ring;
  int rounds = 0;
  while (!done() && !output_.reader_gone() && ring.pending() > 0) {
    std::size_t before = ring.pending();
    consume();
    if (output_.full() && !output_.drain(patience_)) {
      give_up();
    }
    if (ring.pending() != before) {
      rounds = 0;
    } else if (++rounds < unfinished_rounds) {
      ::usleep(unfinished_interval);
    } else {
      ++malformed_;
      say(fmt::format("a record was not finished in time: {} bytes of records are missing",
                      ring.pending()));
      return;
    }
  }
}

void Tracer::give_up() {
  std::size_t lines = output_.waiting_lines();
  NullSink nowhere;
  parts_.source.ring.consume([&](std::span<const std::byte> bytes) {
    lines += parts_.handler.handle(bytes, nowhere) == RecordHandler::Result::written ? 1 : 0;
    return true;
  });
  output_.abandon();
  throw Error("stopped while the reader of the output was stalled", 0,
              fmt::format("{} of output not written",
                          lines == 1 ? "1 line" : fmt::format("{} lines", lines)));
}

void Tracer::finish() {
  parts_.source.detach();
  // The programs are detached, but one may still be running on another CPU for some microseconds.
  ::usleep(1000);
  if (signalled_) {
    patience_.limit();
  }
  drain_ring();
  account();
  parts_.destination.sink.write(StopRecord{BootClock::now(), records_, lost_told_});
  parts_.destination.sink.finish();
  if (!output_.drain(patience_)) {
    give_up();
  }
  output_.close();
  if (!signalled_) {
    drain_requested(parts_.signals.fd());
  }
}

}  // namespace bpftrap
