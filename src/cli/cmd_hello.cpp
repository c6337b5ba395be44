// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap hello`: loads the smallest BPF program, to check that BPF works here.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "bpf/hello.event.h"
#include "cli/command.h"
#include "cli/host.h"
#include "cli/pid_namespace_programs.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/pid_namespace.h"
#include "core/os/tracefs.h"
#include "core/record/decode.h"
#include "core/record/field_builders.h"
#include "core/text/text.h"
#include "core/text/units.h"
#include "hello.skel.h"

namespace bpftrap {

// A message of the BPF program.
struct HelloRecord {
  BootTime time;
  Pid pid = 0;
  Pid local_pid = 0;
  std::string_view comm;
  std::string message;
};

FieldTable fields_of(const HelloRecord*) {
  using R = HelloRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("hello"), time_field<R>(), boot_ns_field<R>(),
      field<&R::pid>("pid", "process id (thread-group id) in the initial pid namespace")
          .column("PID", 7, Align::right)
          .cell([](const R& r, Context, std::string& out) { out += std::to_string(r.local_pid); }),
      field<&R::comm>("comm", "name of the thread that called write(), up to 15 bytes")
          .column("COMM", 15),
      field<&R::message>("message", "message of the BPF program").column("MESSAGE"));
  return table;
}

namespace {

struct HelloOptions {
  OutputOptions output;
  std::optional<std::uint32_t> pid;
  std::chrono::nanoseconds interval = std::chrono::seconds(1);
  bool trace_pipe = false;
};

class HelloStream final : public RecordHandler {
 public:
  explicit HelloStream(Pid local_pid) : local_pid_(local_pid) {}

  Result handle(std::span<const std::byte> bytes, Sink& sink) override {
    bpftrap_record_header header;
    bpftrap_hello_event wire;
    auto record = unframe(bytes, header);
    if (!record || header.kind != BPFTRAP_RECORD_HELLO || !read_wire(*record, wire)) {
      return Result::malformed;
    }
    sink.write(HelloRecord{
        .time = wire_time(header.boot_ns),
        .pid = wire.pid,
        .local_pid = local_pid_,
        .comm = wire_text(*record, offsetof(bpftrap_hello_event, comm), sizeof wire.comm),
        .message = fmt::format("BPF triggered from PID {}.", local_pid_),
    });
    return Result::written;
  }
  std::uint64_t lost_records(const bpftrap_lost& lost) const override {
    return lost.records[BPFTRAP_RECORD_HELLO];
  }

 private:
  Pid local_pid_;
};

// Calls write() with no data, at once and then once per interval, to trigger the program.
class Speaker {
 public:
  Speaker(EventLoop& loop, std::chrono::nanoseconds interval)
      : null_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    loop.watch(timer_.fd(), EPOLLIN, [this](std::uint32_t) {
      if (timer_.take()) {
        speak();
      }
    });
    // The first time in the loop, so that its record follows `start`.
    first_.arm(std::chrono::nanoseconds(1));
    loop.watch(first_.fd(), EPOLLIN, [this, interval](std::uint32_t) {
      if (first_.take()) {
        timer_.arm(interval, true);
        speak();
      }
    });
  }

 private:
  void speak() { [[maybe_unused]] ssize_t none = ::write(null_.get(), "", 0); }

  UniqueFd null_;
  Timer timer_;
  Timer first_;
};

// Prints the kernel's trace lines until a stop. Reads trace_pipe on a timer, because poll() reports
// it only when its buffer is half full (buffer_percent, Documentation/trace/ftrace.rst).
class PipeReader {
 public:
  PipeReader(const std::string& tracefs, std::uint32_t pid, Output& output, EventLoop& loop,
             std::optional<std::uint64_t> count)
      : sentence_(fmt::format(": BPF triggered from PID {}.", pid)),
        pipe_(::open((tracefs + "/trace_pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)),
        output_(output),
        loop_(loop),
        left_(count) {
    if (!pipe_) {
      throw Error("cannot read " + tracefs + "/trace_pipe", errno,
                  errno == EBUSY ? "another program reads it: end that program first" : "");
    }
    loop.watch(timer_.fd(), EPOLLIN, [this](std::uint32_t) {
      if (timer_.take()) {
        read();
      }
    });
    timer_.arm(std::chrono::milliseconds(20), true);
  }

  void read() {
    char buffer[4096];
    for (ssize_t size; (size = ::read(pipe_.get(), buffer, sizeof buffer)) > 0;) {
      text_.append(buffer, static_cast<std::size_t>(size));
    }
    for (std::size_t end; (end = text_.find('\n')) != std::string::npos;) {
      show(std::string_view(text_).substr(0, end));
      text_.erase(0, end + 1);
    }
    output_.flush();
    if (output_.reader_gone() || left_ == 0U) {
      loop_.stop();
    }
  }

 private:
  // All users of trace_pipe share it, so print only bpftrap's lines.
  void show(std::string_view line) {
    if (!line.ends_with(sentence_) || left_ == 0U) {
      return;
    }
    append_terminal_safe(output_.buffer(), line);
    output_.buffer() += '\n';
    if (left_) {
      --*left_;
    }
  }

  std::string sentence_;
  UniqueFd pipe_;
  Output& output_;
  EventLoop& loop_;
  std::optional<std::uint64_t> left_;
  Timer timer_;
  std::string text_;
};

// Prints lines of the trace pipe until a stop. Returns the exit status.
int show_pipe(Host& host, const std::string& tracefs, std::uint32_t pid,
              const HelloOptions& options, LoadedSkeleton<hello_bpf>& loaded) {
  EventLoop& loop = host.loop();
  PipeReader reader(tracefs, pid, host.output(), loop, options.output.count);
  Timer timeout;
  loop.watch(host.signals().fd(), EPOLLIN, [&loop](std::uint32_t) { loop.stop(); });
  loop.watch(timeout.fd(), EPOLLIN, [&loop](std::uint32_t) { loop.stop(); });
  loop.watch(host.output().fd(), 0, [&loop](std::uint32_t) { loop.stop(); });
  if (options.output.timeout) {
    timeout.arm(*options.output.timeout);
  }
  Speaker speaker(loop, options.interval);
  host.confine({});
  loop.run();
  loaded.detach();
  reader.read();
  host.signals().take();
  Patience patience(host.signals());
  patience.limit();
  host.output().drain(patience);
  return 0;
}

// Pid of the traced process in the initial namespace.
Pid initial_pid(const HelloOptions& options, bool translate, LoadedSkeleton<hello_bpf>& loaded) {
  if (options.pid) {
    return ProcessLister("hello", "").find({*options.pid}, "--pid").process.pid;
  }
  if (!translate) {
    return static_cast<Pid>(::getpid());
  }
  LIBBPF_OPTS(bpf_test_run_opts, run);
  int fd = bpf_program__fd(loaded.progs().note_own_pid);
  if (int err = bpf_prog_test_run_opts(fd, &run); err != 0) {
    throw Error("cannot find out bpftrap's own process id in the initial pid namespace", -err);
  }
  return loaded.bss().own_pid;
}

int run(const HelloOptions& options) {
  std::unique_ptr<Host> host = Host::open(options.output);
  if (!host) {
    return ended_as_asked;
  }
  bool translate = own_pid_namespace() != PidNamespace::initial;
  Pid pid = options.pid.value_or(static_cast<Pid>(::getpid()));
  OpenSkeleton<hello_bpf> open("hello");
  open.rodata().cfg = {options.trace_pipe ? 1U : 0U, 0};
  bpf_program__set_autoload(open.progs().note_own_pid, translate && !options.pid);
  bpf_program__set_autoattach(open.progs().note_own_pid, false);
  LoadedSkeleton<hello_bpf> loaded = std::move(open).load();
  loaded.bss().process = {initial_pid(options, translate, loaded), pid};
  std::string tracefs = provide_tracefs();
  loaded.attach();
  if (options.trace_pipe) {
    return show_pipe(*host, tracefs, pid, options, loaded);
  }
  HelloStream stream(pid);
  Speaker speaker(host->loop(), options.interval);
  return host->trace<HelloRecord>("hello", {"TIME", "PID", "COMM", "MESSAGE"}, loaded, stream);
}

}  // namespace

Run setup_hello(CLI::App& app) {
  using namespace std::chrono_literals;
  auto options = std::make_shared<HelloOptions>();
  add_parsed_option(
      app, "-p,--pid", [options](std::string_view text) { options->pid = parse_pid(text); },
      "answer for this process instead of bpftrap itself", "PID");
  add_parsed_option(
      app, "--interval",
      [options](std::string_view text) {
        options->interval = parse_duration(text, 1s);
        if (options->interval < 1ms) {
          throw std::invalid_argument("is too short; expected 1ms or more");
        }
      },
      "call write() once per TIME (500ms, 10s; a bare number is seconds; default 1s)", "TIME");
  add_switch(app, "--trace-pipe", options->trace_pipe,
             "print what bpf_printk() writes to the kernel's trace_pipe");
  add_output_options(app, options->output);
  set_examples(app,
               "  sudo bpftrap hello               one message per second\n"
               "  sudo bpftrap hello --count 1     check that BPF works: status 0 if it does\n"
               "  sudo bpftrap hello --pid 1234    a message whenever process 1234 calls write()\n"
               "  sudo bpftrap hello --trace-pipe  the same through the trace pipe");
  app.parse_complete_callback([options] {
    check_output_options(options->output);
    if (options->trace_pipe) {
      refuse_format(options->output, "--trace-pipe", "because it prints the kernel's own lines");
    }
  });
  return [options] { return run(*options); };
}

}  // namespace bpftrap
