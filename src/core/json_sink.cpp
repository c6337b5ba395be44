// SPDX-License-Identifier: GPL-2.0-only
// Records as lines of JSON.
#include <rapidjson/writer.h>

#include "core/sink.h"

namespace bpftrap {

namespace {

// RapidJSON's output stream concept over the output's buffer.
class Appender {
 public:
  using Ch = char;

  explicit Appender(std::string& out) : out_(out) {}
  void Put(char c) { out_ += c; }
  void Flush() {}

 private:
  std::string& out_;
};

using Writer = rapidjson::Writer<Appender>;

class JsonSink final : public Sink {
 public:
  JsonSink(std::string& out, const WallClock& clock)
      : out_(out), appender_(out), writer_(appender_), context_{clock, users_, timestamps_} {}

  void start(const StartRecord& record) override { write(record); }
  void exec(const ExecRecord& record) override { write(record); }
  void exit(const ExitRecord& record) override { write(record); }
  void hello(const HelloRecord& record) override { write(record); }
  void lost(const LostRecord& record) override { write(record); }
  void stop(const StopRecord& record) override { write(record); }

 private:
  template <class Record>
  void write(const Record& record) {
    writer_.Reset(appender_);
    writer_.StartObject();
    for (const Field<Record>& field : fields<Record>()) {
      if (field.key.empty()) {
        continue;
      }
      writer_.Key(field.key.data(), static_cast<rapidjson::SizeType>(field.key.size()));
      std::visit([this](const auto& value) { put(value); }, field.value(record, context_));
    }
    writer_.EndObject();
    out_ += '\n';
  }

  void put(std::monostate) { writer_.Null(); }
  void put(bool value) { writer_.Bool(value); }
  void put(std::uint64_t value) { writer_.Uint64(value); }
  void put(std::string_view value) {
    scratch_.clear();
    append_valid_utf8(scratch_, value);
    put_scratch();
  }
  void put(const std::string& value) { put(std::string_view(value)); }
  void put(WallTime value) {
    scratch_.clear();
    timestamps_.append_rfc3339(scratch_, value);
    put_scratch();
  }
  void put(const ProcessId& value) {
    scratch_ = std::to_string(value.pid);
    scratch_ += '-';
    scratch_ += std::to_string(value.start_ns);
    put_scratch();
  }
  void put(const Arguments& value) {
    writer_.StartArray();
    std::string_view rest = value.bytes;
    while (!rest.empty()) {
      std::size_t end = rest.find('\0');
      put(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    writer_.EndArray();
  }
  void put_scratch() {
    writer_.String(scratch_.data(), static_cast<rapidjson::SizeType>(scratch_.size()));
  }

  std::string& out_;
  Appender appender_;
  Writer writer_;
  Users users_{""};
  TimestampFormatter timestamps_;
  FieldContext context_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Sink> make_json_sink(std::string& out, const WallClock& clock) {
  return std::make_unique<JsonSink>(out, clock);
}

}  // namespace bpftrap
