// SPDX-License-Identifier: GPL-2.0-only
// A recording on its way to the output: reader, replay, both sinks, and the report of `why slow`.
// An input is a file. Checksums are made right first, so that the bytes behind them are reached.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "core/analysis/critical_path.h"
#include "core/analysis/run_builder.h"
#include "core/analysis/slow_report.h"
#include "core/os/error.h"
#include "core/output/detail_sink.h"
#include "core/output/json_sink.h"
#include "core/output/table_sink.h"
#include "core/recording/crc32c.h"
#include "core/recording/reader.h"
#include "core/trace/replay.h"
#include "fuzz/checks.h"

namespace bpftrap {

namespace {

using fuzz::require;

// Corrects the checksums of every batch whose sizes fit into the file.
void correct_checksums(std::string& file) {
  std::string_view magic(recording_magic, sizeof recording_magic);
  for (std::size_t at = file.find(magic); at != std::string::npos; at = file.find(magic, at + 1)) {
    RecordingBatch header;
    if (file.size() - at < sizeof header) {
      return;
    }
    std::memcpy(&header, file.data() + at, sizeof header);
    std::size_t rest = file.size() - at;
    if (header.header_size < sizeof header || header.header_size > rest ||
        header.stored_size > rest - header.header_size) {
      continue;
    }
    auto bytes = [&file](std::size_t from, std::size_t size) {
      return std::as_bytes(std::span(file)).subspan(from, size);
    };
    header.payload_crc = crc32c(0, bytes(at + header.header_size, header.stored_size));
    header.header_crc = 0;
    std::memcpy(file.data() + at, &header, sizeof header);
    header.header_crc = crc32c(0, bytes(at, header.header_size));
    std::memcpy(file.data() + at, &header, sizeof header);
  }
}

ReplayOptions everything(bool forest) {
  ReplayOptions options;
  options.stream.write_forks = options.stream.write_execs = true;
  options.stream.write_failed_execs = options.stream.read_older = true;
  options.stream.forest = forest;
  options.scope.write_forks = options.scope.report_forks = 1;
  return options;
}

// Passes each record to several sinks.
class Both final : public Sink {
 public:
  Both(Sink& one, Sink& other) : one_(one), other_(other) {}
  void write(const RecordView& record) override {
    one_.write(record);
    other_.write(record);
  }

 private:
  Sink& one_;
  Sink& other_;
};

void require_lines(const std::string& json, const std::string& table) {
  for (const std::string& line : fuzz::split(json, '\n')) {
    fuzz::require_json_line(line + "\n");
  }
  for (const std::string& row : fuzz::split(table, '\n')) {
    fuzz::require_terminal_safe(row);
  }
}

// The segments of each path add up, and the reports are harmless.
void check_run(RunBuilder& builder) {
  constexpr std::size_t roots_most = 20;
  RecordedRun run = builder.finish();
  for (Index root = 0; root < std::min(run.processes.size(), roots_most); ++root) {
    CriticalPath path = critical_path(run, root);
    BootTime at = path.begin;
    for (const Segment& segment : path.segments) {
      require(segment.begin == at && segment.end > at, "segments follow each other");
      require(segment.cpu >= segment.cpu.zero() && segment.cpu_wait >= segment.cpu.zero() &&
                  segment.blocked() >= segment.cpu.zero() &&
                  segment.cpu + segment.cpu_wait + segment.blocked() == segment.duration(),
              "the parts of a segment add up");
      at = segment.end;
    }
    require(at == path.end, "segments add up to the run");
    for (const std::string& line : fuzz::split(slow_report(run, root), '\n')) {
      fuzz::require_terminal_safe(line);
    }
  }
}

void check(const std::string& content, bool forest) {
  static const int fd = ::memfd_create("recording", MFD_CLOEXEC);
  require(::ftruncate(fd, 0) == 0, "the file is empty");
  require(::pwrite(fd, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()),
          "the file is written");
  std::string json;
  std::string table;
  WallClock clock = WallClock::recorded();
  Users users("");
  SinkSetup setup{json, clock, {fields<ForkRecord>(), fields<ExecRecord>(), fields<ExitRecord>()}};
  setup.with_host = true;
  JsonSink json_sink(setup);
  SinkSetup rows{table, clock, setup.kinds};
  rows.columns = {"TIME", "PID", "USER", "STATUS", "COMMAND"};
  rows.users = &users;
  rows.dates = rows.utc = true;
  TableSink table_sink(rows);
  Both sinks(json_sink, table_sink);
  Replay replay(everything(forest), clock, users, sinks);
  RunBuilder builder;
  RecordingReader reader(fd);
  std::uint64_t end = 0;
  while (std::optional<BatchPlace> place = reader.next()) {
    require(place->position >= end && place->end() <= content.size(), "batches do not overlap");
    end = place->end();
    replay.begin_batch(place->header);
    builder.begin_batch(place->header);
    if (auto payload = reader.read(*place)) {
      for_each_record(*payload, [&](std::span<const std::byte> record) {
        replay.take(record);
        builder.take(record);
        return true;
      });
    }
    require_lines(json, table);
    json.clear();
    table.clear();
  }
  replay.finish();
  check_run(builder);
}

}  // namespace

}  // namespace bpftrap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > (1 << 16)) {
    return 0;
  }
  std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) {
    bpftrap::correct_checksums(content);
  }
  try {
    bpftrap::check(content, (data[0] & 2) != 0);
  } catch (const bpftrap::Error&) {
    // a newer format
  }
  return 0;
}
