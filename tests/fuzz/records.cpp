// SPDX-License-Identifier: GPL-2.0-only
// The path of records in user space: bytes of a ring buffer, decode, stream, both sinks. An input
// is the content of a ring buffer, in which each record is as long as its header says.
#include <cstring>
#include <memory>

#include "bpf/process.event.h"
#include "core/analysis/summary_sink.h"
#include "core/output/json_sink.h"
#include "core/output/table_sink.h"
#include "core/record/decode.h"
#include "core/trace/process_stream.h"
#include "fuzz/checks.h"
#include "fuzz/clock.h"

namespace bpftrap {

namespace {

using fuzz::require;
using Result = RecordHandler::Result;

// A copy of exact size, so that AddressSanitizer detects every read beyond it.
class Record {
 public:
  explicit Record(std::string_view bytes) : size_(bytes.size()), bytes_(new std::byte[size_]) {
    std::memcpy(bytes_.get(), bytes.data(), size_);
  }

  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

  bool holds(std::string_view view) const {
    const auto* begin = reinterpret_cast<const char*>(bytes_.get());
    return view.empty() || (view.data() >= begin && view.data() + view.size() <= begin + size_);
  }

  template <class Wire>
  Wire as() const {
    Wire wire{};
    std::memcpy(&wire, bytes_.get(), std::min(sizeof wire, size_));
    return wire;
  }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

// Removes the next record, with the length in its header. The following record is aligned as in a
// ring buffer.
Record take_record(std::string_view& input) {
  std::uint32_t size = 0;
  std::memcpy(&size, input.data(), std::min(sizeof size, input.size()));
  Record record(input.substr(0, std::max<std::size_t>(size, 1)));
  std::size_t behind = (std::max<std::size_t>(size, 1) + 7) / 8 * 8;
  input.remove_prefix(std::min(input.size(), behind));
  return record;
}

void require_views_within(const Record& record, const Decoded& decoded) {
  auto within = [&](std::optional<std::string_view> view) {
    require(!view || record.holds(*view), "views point into the record");
  };
  if (const auto* exec = std::get_if<ExecRecord>(&decoded)) {
    for (const auto& view : {exec->filename, exec->interp}) {
      within(view);
    }
    within(exec->process.comm);
    within(exec->process.parent_comm);
    within(exec->args ? exec->args->bytes : std::string_view());
  } else if (const auto* exit = std::get_if<ExitRecord>(&decoded)) {
    within(exit->process.comm);
    within(exit->process.parent_comm);
    within(exit->killer ? exit->killer->comm : std::string_view());
    within(exit->last_signal ? exit->last_signal->sender.comm : std::string_view());
  } else if (const auto* cgroup = std::get_if<CgroupRecord>(&decoded)) {
    within(cgroup->names);
  }
}

// The JSON line must agree with the process in the wire struct.
void compare(const nlohmann::json& line, const bpftrap_record_header& header,
             const bpftrap_process& process, const std::string& text) {
  require(line.at("boot_ns") == header.boot_ns, "boot_ns is the record's", text);
  require(line.at("pid") == process.pid, "pid is the record's", text);
  require(line.at("ppid") == process.ppid, "ppid is the record's", text);
  require(line.at("uid") == process.uid, "uid is the record's", text);
  require(line.at("gid") == process.gid, "gid is the record's", text);
  require(
      line.at("id") == std::to_string(process.pid) + "-" + std::to_string(process.start_boot_ns),
      "id is pid and start", text);
  require(line.at("comm") ==
              fuzz::expected_text({process.comm, strnlen(process.comm, sizeof process.comm)}),
          "comm is the record's", text);
}

void check_exec(const Record& record, const std::string& text) {
  nlohmann::json line = fuzz::require_json_line(text);
  auto wire = record.as<bpftrap_exec_event>();
  compare(line, wire.header, wire.process, text);
  require(line.at("event") == "exec", "an exec record is an exec line", text);
  require(line.at("errno").is_null() == (wire.error == 0), "errno is null without an error", text);
  require(line.at("args").is_null() == ((wire.flags & BPFTRAP_EXEC_ARGS_UNREADABLE) != 0),
          "args is null if it could not be read", text);
  bool complete = wire.args_len == wire.args_size;
  require(!line.at("args_truncated").get<bool>() || !complete || wire.flags != 0,
          "args_truncated only if there was more", text);
}

void check_exit(const Record& record, const std::string& text) {
  nlohmann::json line = fuzz::require_json_line(text);
  auto wire = record.as<bpftrap_exit_event>();
  compare(line, wire.header, wire.process, text);
  require(line.at("event") == "exit", "an exit record is an exit line", text);
  require(line.at("exit_code").is_null() != line.at("signal").is_null(),
          "a process ends with a code or by a signal", text);
  for (const char* key : {"duration_ns", "cpu_user_ns", "cpu_sys_ns"}) {
    require(line.at(key).get<std::uint64_t>() <= INT64_MAX, "a time is not negative", text);
  }
}

// One way of writing records. It is kept for all inputs, but its memory is reset for each.
class Trace {
 public:
  Trace(ProcessStreamOptions options, std::function<std::unique_ptr<Sink>()> make_sink,
        std::string& out)
      : options_(options), make_sink_(std::move(make_sink)), out_(out) {}

  void begin() {
    sink_ = make_sink_();
    stream_ = std::make_unique<ProcessStream>(options_);
    stream_->live(BootTime());
  }

  // Returns the written line, or "".
  const std::string& handle(const Record& record, bool malformed) {
    out_.clear();
    Result result = stream_->handle(record.bytes(), *sink_);
    require((result == Result::malformed) == malformed, "decode() reports a malformed record");
    require((result == Result::written) == !out_.empty(), "only written records are counted", out_);
    return out_;
  }

  const std::string& finish() {
    out_.clear();
    sink_->write(StopRecord{});
    sink_->finish();
    return out_;
  }

 private:
  ProcessStreamOptions options_;
  std::function<std::unique_ptr<Sink>()> make_sink_;
  std::string& out_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<ProcessStream> stream_;
};

Trace& json_trace() {
  static std::string out;
  auto make_sink = [] {
    return std::make_unique<SummarySink>(std::make_unique<JsonSink>(SinkSetup{out, fixed_clock()}),
                                         SummaryOptions{},
                                         [](const std::vector<SummaryRecord>&) {});
  };
  static Trace trace({.write_execs = true, .write_failed_execs = true}, make_sink, out);
  return trace;
}

std::unique_ptr<Sink> table_sink(std::string& out, std::vector<std::string_view> columns) {
  return std::make_unique<TableSink>(SinkSetup{
      out, fixed_clock(), {fields<ExecRecord>(), fields<ExitRecord>()}, std::move(columns)});
}

Trace& exec_table() {
  static std::string out;
  auto make_sink = [] {
    return table_sink(out,
                      {"TIME", "EVENT", "PID", "PPID", "COMM", "DURATION", "STATUS", "COMMAND"});
  };
  static Trace trace({.write_execs = true,
                      .write_failed_execs = true,
                      .exits_of_execs_only = true,
                      .forest = true},
                     make_sink, out);
  return trace;
}

Trace& exit_table() {
  static std::string out;
  auto make_sink = [] {
    return table_sink(out, {"TIME", "PID", "PPID", "USER", "COMM", "DURATION", "CPU", "RSS",
                            "STATUS", "COMMAND"});
  };
  static Trace trace({.read_older = true}, make_sink, out);
  return trace;
}

void check_row(const std::string& row) {
  if (!row.empty()) {
    fuzz::require_terminal_safe(fuzz::require_one_line(row));
  }
}

}  // namespace

}  // namespace bpftrap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bpftrap;
  for (Trace* trace : {&json_trace(), &exec_table(), &exit_table()}) {
    trace->begin();
  }
  std::string_view input = fuzz::text_of(data, size);
  while (!input.empty()) {
    Record record = take_record(input);
    Decoded decoded = decode(record.bytes());
    require_views_within(record, decoded);
    bool malformed = std::holds_alternative<Malformed>(decoded);
    const std::string& line = json_trace().handle(record, malformed);
    if (!line.empty()) {
      bool exec = std::holds_alternative<ExecRecord>(decoded);
      exec ? check_exec(record, line) : check_exit(record, line);
    }
    check_row(exec_table().handle(record, malformed));
    check_row(exit_table().handle(record, malformed));
  }
  for (const std::string& line : fuzz::split(json_trace().finish(), '\n')) {
    fuzz::require_json_line(line + '\n');
  }
  return 0;
}
