// SPDX-License-Identifier: GPL-2.0-only
#include "core/json_sink.h"

namespace bpftrap {

namespace {

using rapidjson::SizeType;

template <class Writer>
void put_bytes(Writer& writer, std::string& scratch, std::string_view bytes) {
  scratch.clear();
  append_valid_utf8(scratch, bytes);
  writer.String(scratch.data(), static_cast<SizeType>(scratch.size()));
}

}  // namespace

void JsonSink::begin() {
  state_->writer.Reset(state_->appender);
  state_->writer.StartObject();
}

void JsonSink::end() {
  state_->writer.EndObject();
  state_->out += '\n';
}

void JsonSink::put(std::string_view key, const Value& value) {
  auto& writer = state_->writer;
  std::string& scratch = state_->scratch;
  writer.Key(key.data(), static_cast<SizeType>(key.size()));
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    put_bytes(writer, scratch, *text);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    writer.Uint64(*number);
  } else if (std::holds_alternative<std::monostate>(value)) {
    writer.Null();
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    writer.Bool(*flag);
  } else if (const auto* id = std::get_if<ProcessId>(&value)) {
    scratch = std::to_string(id->pid);
    scratch += '-';
    scratch += std::to_string(id->start_ns);
    writer.String(scratch.data(), static_cast<SizeType>(scratch.size()));
  } else if (const auto* time = std::get_if<WallTime>(&value)) {
    scratch.clear();
    state_->timestamps.append_rfc3339(scratch, *time);
    writer.String(scratch.data(), static_cast<SizeType>(scratch.size()));
  } else if (const auto* args = std::get_if<Arguments>(&value)) {
    writer.StartArray();
    std::string_view rest = args->bytes;
    while (!rest.empty()) {
      std::size_t end = rest.find('\0');
      put_bytes(writer, scratch, rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    writer.EndArray();
  } else if (const auto* owned = std::get_if<std::string>(&value)) {
    put_bytes(writer, scratch, *owned);
  }
}

}  // namespace bpftrap
