// SPDX-License-Identifier: GPL-2.0-only
// Writes recordings of processes that never ran. `fabricate FILE PROCESSES raw|deflated` writes a
// file. `fabricate DIR BYTES RATE raw|deflated` fills a directory, as `record --dir DIR --keep
// BYTES` does at RATE records per second, and prints the seconds since 1970 where it begins and
// ends. `fabricate measure PROGRAM ARGS...` prints the seconds that a program takes, and its
// largest resident set in MB.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/recording/processes.h"
#include "core/os/error.h"
#include "core/recording/batch_stream.h"
#include "core/recording/directory.h"
#include "core/recording/recorded.h"
#include "core/recording/writer.h"

namespace bpftrap {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

bool is_deflated(const char* form) {
  return std::strcmp(form, "deflated") == 0;
}

HostRecord made_up_host() {
  return {{4096}, 2, 1, true, "host", "boot", "6.1", "0.1"};
}

class FabricatedFile {
 public:
  FabricatedFile(const char* path, bool deflated)
      : file_(std::fopen(path, "we")),
        writer_({buffer_, clock_, 1, [deflated] { return deflated; }, {}}) {
    clock_.restart_with(0);
  }

  bool write(std::uint64_t count) {
    MadeUpProcesses processes(ns_per_second / 1000, 0,
                              [this](std::string_view record) { add(record); });
    BootTime live = processes.now();
    writer_.begin_segment();
    add(encode(made_up_host(), live));
    add(encode(ClockRecord{live, 0}));
    add(encode(RunRecord{live, true, true, "record"}));
    writer_.end_state();
    processes.begin();
    for (std::uint64_t i = 1; i < count; ++i) {
      processes.run_next();
    }
    processes.end();
    add(encode(StopRecord{processes.now(), processes.records(), 0}));
    writer_.close_batch();
    flush();
    return std::fclose(file_) == 0;
  }

 private:
  void add(std::string_view record) {
    writer_.add(record);
    if (buffer_.size() > 1 << 20) {
      flush();
    }
  }
  void flush() {
    std::fwrite(buffer_.data(), 1, buffer_.size(), file_);
    buffer_.clear();
  }

  std::FILE* file_;
  std::string buffer_;
  WallClock clock_ = WallClock::recorded();
  RecordingWriter writer_;
};

class FabricatedDirectory {
 public:
  FabricatedDirectory(const char* path, std::uint64_t bytes, std::uint64_t rate, bool deflated)
      : bytes_(bytes),
        directory_(path, {.bytes = bytes}),
        writer_(setup(deflated)),
        processes_(ns_per_second * MadeUpProcesses::records_each / rate, noise,
                   [this](std::string_view record) { writer_.add(record); }) {
    clock_.restart_with(offset_ns);
  }

  // Until some of the oldest files are dropped.
  void write() {
    begin_segment();
    processes_.begin();
    std::uint64_t written = 0;
    auto second = whole_seconds();
    while (written < bytes_ + bytes_ / 20) {
      processes_.run_next();
      if (writer_.segment_is_full()) {
        begin_segment();
      }
      // As the recorder does each second.
      if (whole_seconds() != second) {
        second = whole_seconds();
        writer_.close_batch();
      }
      written += buffer_.size();
      directory_.take(buffer_);
    }
    writer_.close_batch();
    directory_.take(buffer_);
  }

  void print_span() const {
    std::vector<SegmentFile> files = list_segment_files(directory_.fd());
    auto second = [](std::int64_t wall_ns) {
      return static_cast<long long>(wall_ns / ns_per_second);
    };
    std::printf("%lld %lld\n", second(files.front().first.first_wall_ns) + 1,
                second(clock_.to_wall(processes_.now()).ns));
  }

 private:
  // With it, a deflated record has 47 bytes, as in a storm.
  static constexpr std::size_t noise = 150;
  // The wall clock of the beginning: 2026-01-01.
  static constexpr std::int64_t offset_ns = 1'767'225'600 * ns_per_second;

  RecordingWriter::Setup setup(bool deflated) {
    RecordingWriter::Setup setup{buffer_, clock_, 1, [deflated] { return deflated; }, {}};
    setup.busy = {};  // however fast
    setup.file_bytes = directory_.file_bytes();
    return setup;
  }

  std::int64_t whole_seconds() const {
    return processes_.now().time_since_epoch() / std::chrono::seconds(1);
  }

  void begin_segment() {
    BootTime now = processes_.now();
    writer_.begin_segment();
    writer_.add(encode(made_up_host(), now));
    writer_.add(encode(ClockRecord{now, offset_ns}));
    writer_.add(encode(TallyRecord{now, processes_.records(), 0}));
    writer_.add(encode(RunRecord{BootTime(std::chrono::nanoseconds(MadeUpProcesses::begin_ns)),
                                 true, false, "record"}));
    for (Pid pid = 2; pid < 200; ++pid) {
      OlderRecord older{now, pid, 1, pid, pid, "daemon"};
      std::string args = "/usr/sbin/daemon" + std::to_string(pid) + std::string(1, '\0');
      older.args = Arguments{args, false};
      writer_.add(encode(older));
    }
    processes_.add_state([this](std::string_view record) { writer_.add(record); });
    writer_.end_state();
  }

  std::uint64_t bytes_;
  RecordingDirectory directory_;
  std::string buffer_;
  WallClock clock_ = WallClock::recorded();
  RecordingWriter writer_;
  MadeUpProcesses processes_;
};

int fabricate_directory(char** arguments) {
  std::uint64_t bytes = std::strtoull(arguments[1], nullptr, 10);
  std::uint64_t rate = std::strtoull(arguments[2], nullptr, 10);
  if (bytes < RecordingDirectory::bytes_least || rate == 0) {
    std::fputs("fabricate: BYTES or RATE is too small\n", stderr);
    return 2;
  }
  try {
    FabricatedDirectory directory(arguments[0], bytes, rate, is_deflated(arguments[3]));
    directory.write();
    directory.print_span();
  } catch (const Error& error) {
    std::fprintf(stderr, "fabricate: %s\n", error.message().c_str());
    return 1;
  }
  return 0;
}

int measure(char** program) {
  auto begin = std::chrono::steady_clock::now();
  pid_t child = ::fork();
  if (child == 0) {
    ::execvp(program[0], program);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::fprintf(stderr, "%.3f s, %.1f MB\n", took.count(),
               static_cast<double>(used.ru_maxrss) / 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace bpftrap

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "measure") == 0) {
    return bpftrap::measure(argv + 2);
  }
  if (argc == 5) {
    return bpftrap::fabricate_directory(argv + 1);
  }
  if (argc != 4) {
    std::fputs(
        "usage: fabricate FILE PROCESSES raw|deflated\n"
        "       fabricate DIR BYTES RATE raw|deflated\n"
        "       fabricate measure PROGRAM ARGS...\n",
        stderr);
    return 2;
  }
  bpftrap::FabricatedFile fabrication(argv[1], bpftrap::is_deflated(argv[3]));
  return fabrication.write(std::strtoull(argv[2], nullptr, 10)) ? 0 : 1;
}
