// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/json_sink.h"

namespace bpftrap {

namespace {

void put_id(JsonLine& line, const ProcessId& id) {
  line.raw("\"");
  line.number(id.pid);
  line.raw("-");
  line.number(id.start_ns);
  line.raw("\"");
}

void put_arguments(JsonLine& line, const Arguments& args) {
  std::string_view separator = "[";
  std::string_view rest = args.bytes;
  while (!rest.empty()) {
    line.raw(separator);
    std::size_t end = rest.find('\0');
    line.string(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    separator = ",";
  }
  line.raw(args.bytes.empty() ? "[]" : "]");
}

}  // namespace

void JsonSink::end() {
  State& state = *state_;
  state.line.raw("}\n");
  state.out += state.line.text();
  state.line.clear();
}

void JsonSink::put(std::string_view key, const Value& value) {
  JsonLine& line = state_->line;
  line.raw(key);
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    line.string(*text);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    line.number(*number);
  } else if (std::holds_alternative<std::monostate>(value)) {
    line.raw("null");
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    line.raw(*flag ? "true" : "false");
  } else if (const auto* id = std::get_if<ProcessId>(&value)) {
    put_id(line, *id);
  } else if (const auto* time = std::get_if<WallTime>(&value)) {
    std::string& scratch = state_->scratch;
    scratch.clear();
    state_->timestamps.append_rfc3339(scratch, *time);
    line.string(scratch);
  } else if (const auto* args = std::get_if<Arguments>(&value)) {
    put_arguments(line, *args);
  } else if (const auto* owned = std::get_if<std::string>(&value)) {
    line.string(*owned);
  }
}

}  // namespace bpftrap
