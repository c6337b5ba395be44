// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/tracer.h"

#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/os/error.h"
#include "core/os/file.h"

namespace bpftrap {

namespace {

// Between two looks at signals and the output.
constexpr std::size_t batch_records = 1024;

}  // namespace

Tracer::Tracer(Parts parts, TracerOptions options)
    : parts_(std::move(parts)), options_(std::move(options)) {}

void Tracer::watch() {
  EventLoop& loop = parts_.loop;
  loop.watch(parts_.signals.fd(), EPOLLIN, [this](std::uint32_t) {
    StopSignals::Taken taken = parts_.signals.take();
    if (taken.number != 0 && (!parts_.ends_run || parts_.ends_run(taken))) {
      stop();
    }
  });
  // Edge-triggered: while the nap lasts, records that arrive wake nobody.
  loop.watch(parts_.ring.fd(), EPOLLIN | EPOLLET, [this](std::uint32_t) { nap_.arm(nap); });
  loop.watch(nap_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (nap_.take()) {
      consume();
    }
  });
  loop.watch(second_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (second_.take()) {
      parts_.clock.reanchor();
      account();
      flush();
    }
  });
  second_.arm(std::chrono::seconds(1), true);
  loop.watch(clock_steps_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (clock_steps_.take()) {
      parts_.clock.reanchor();
    }
  });
  if (options_.timeout) {
    loop.watch(timeout_.fd(), EPOLLIN, [this](std::uint32_t) { stop(); });
    timeout_.arm(*options_.timeout);
  }
  // No events asked for: a reader that goes away is told all the same (EPOLLERR, EPOLLHUP).
  output_watched_ =
      loop.watch(parts_.output.fd(), 0, [this](std::uint32_t events) { on_output(events); });
}

void Tracer::on_output(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    parts_.output.set_reader_gone();
    stop();
    return;
  }
  bool was_full = parts_.output.full();
  flush();
  if (was_full && !parts_.output.full()) {
    consume();
  }
}

void Tracer::flush() {
  Output& output = parts_.output;
  output.flush();
  if (output.reader_gone()) {
    stop();
    return;
  }
  std::uint32_t events = output.waiting() > 0 ? static_cast<std::uint32_t>(EPOLLOUT) : 0;
  if (output_watched_ && events != output_events_) {
    parts_.loop.change(output.fd(), events);
    output_events_ = events;
  }
}

void Tracer::consume() {
  bool filled = false;
  auto handle = [this, &filled](std::span<const std::byte> bytes) {
    switch (parts_.handler.handle(bytes, parts_.sink)) {
      case RecordHandler::Result::written:
        ++records_;
        break;
      case RecordHandler::Result::malformed:
        ++malformed_;
        break;
      case RecordHandler::Result::kept:
        break;
    }
    // Lines of 200 KB, of which a batch could be, would be far beyond what may wait.
    filled = parts_.output.full();
    return !done() && !filled;
  };
  if (parts_.output.full() || done()) {
    return;  // on_output() goes on
  }
  std::size_t consumed = parts_.ring.consume(handle, batch_records);
  flush();
  sweep();
  if (done()) {
    stop();
  } else if (consumed == batch_records || (filled && !parts_.output.full())) {
    nap_.arm(std::chrono::nanoseconds(1));
  }
}

void Tracer::account() {
  const bpftrap_lost& lost = parts_.lost.read();
  parts_.handler.look_at(lost);
  std::uint64_t all = parts_.handler.lost_records(lost) + malformed_;
  BootTime now = BootClock::now();
  if (all > lost_told_) {
    parts_.sink.write(LostRecord{now, all - lost_told_});
    lost_told_ = all;
    if (now - swept_ > std::chrono::seconds(10)) {
      swept_ = now;
      sweep_asked_ = true;
    }
  }
  sweep();
}

void Tracer::sweep() {
  RecordHandler& handler = parts_.handler;
  if (!sweep_until_ && (sweep_asked_ || handler.wants_sweep())) {
    sweep_asked_ = false;
    handler.mark_dead();
    // Not earlier: who is dead by now has all its records before this.
    sweep_until_ = parts_.ring.produced();
  }
  if (sweep_until_ && parts_.ring.consumed() >= *sweep_until_) {
    sweep_until_.reset();
    handler.forget_dead();
  }
}

void Tracer::confine(bool reads_files) {
  if (parts_.confine) {
    parts_.confine(reads_files);
  }
}

int Tracer::run() {
  watch();
  Timer idle_timer;
  bool idle_work = parts_.handler.has_idle_work();
  StartRecord start = describe_machine({}, options_.command);
  confine(idle_work);
  start.time = BootClock::now();
  parts_.handler.live(start.time);
  parts_.sink.write(start);
  flush();
  if (parts_.started) {
    parts_.started();
  }
  if (idle_work) {
    parts_.loop.watch(idle_timer.fd(), EPOLLIN, [this, &idle_timer](std::uint32_t) {
      if (!idle_timer.take()) {
        return;
      }
      if (parts_.handler.idle()) {
        idle_timer.arm(std::chrono::nanoseconds(1));
      } else {
        confine(false);
      }
    });
    idle_timer.arm(std::chrono::nanoseconds(1));
  }
  parts_.loop.run();
  return finish();
}

int Tracer::finish() {
  parts_.detach();
  // The programs are off, but one may be running yet, on another CPU: it needs microseconds.
  ::usleep(1000);
  while (!done() && !parts_.output.reader_gone() && parts_.ring.pending() > 0) {
    std::size_t before = parts_.ring.pending();
    consume();
    if (parts_.output.full() && !parts_.output.drain(parts_.signals.fd())) {
      break;
    }
    if (parts_.ring.pending() == before) {
      ::usleep(100);
    }
  }
  account();
  parts_.handler.finish(parts_.sink);
  parts_.sink.write(StopRecord{BootClock::now(), records_, lost_told_});
  if (!parts_.output.drain(parts_.signals.fd())) {
    throw Error("stopped by a second signal while the reader of the output was not reading", 0,
                "the last records are not written");
  }
  parts_.output.close();
  return 0;
}

StartRecord describe_machine(BootTime time, std::string command) {
  utsname names{};
  ::uname(&names);
  StartRecord record;
  record.time = time;
  record.host = names.nodename;
  record.kernel = names.release;
  record.boot_id = read_file("/proc/sys/kernel/random/boot_id").value_or("");
  while (!record.boot_id.empty() && record.boot_id.back() == '\n') {
    record.boot_id.pop_back();
  }
  record.command = std::move(command);
  return record;
}

}  // namespace bpftrap
