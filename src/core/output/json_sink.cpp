// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/json_sink.h"

#include <algorithm>
#include <array>
#include <utility>

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

const JsonSink::Layout& JsonSink::layout_of(FieldTable fields) {
  for (const Layout& known : layouts_) {
    if (known.kind == fields.data()) {
      return known;
    }
  }
  Layout layout{fields.data(), {}, {}};
  JsonLine text;
  std::string_view separator = "{";
  for (const Field& field : fields) {
    if (field.key.empty()) {
      continue;
    }
    text.raw(separator);
    text.string(field.key);
    text.raw(":");
    separator = ",";
    if (field.get != nullptr) {
      std::string before(text.text());
      std::size_t size = before.size();
      before.resize(std::max(size, JsonLine::padding));
      layout.parts.push_back({std::move(before), size, &field});
      text.clear();
    } else {
      text.string(field.constant);
    }
  }
  // A start record has these keys by itself.
  bool has_host = fields.data() == fields_of(static_cast<const StartRecord*>(nullptr)).data();
  if (!has_host) {
    text.raw(host_);
  }
  text.raw("}\n");
  layout.end = text.text();
  return layouts_.emplace_back(std::move(layout));
}

void JsonSink::begin_run(const StartRecord& start) {
  JsonLine text;
  text.raw(",\"host\":");
  text.string(start.host);
  text.raw(",\"boot_id\":");
  if (start.boot_id.empty()) {
    text.raw("null");
  } else {
    text.string(start.boot_id);
  }
  host_ = text.text();
  layouts_.clear();
}

void JsonSink::write(const RecordView& record) {
  if (const auto* start = record.get_if<StartRecord>(); start != nullptr && with_host_) {
    begin_run(*start);
  }
  const Layout& layout = layout_of(record.fields());
  for (const Part& part : layout.parts) {
    line_.raw_padded(part.before.data(), part.size);
    put(part.field->get(record, context_));
  }
  line_.raw(layout.end);
  out_ += line_.text();
  line_.clear();
}

void JsonSink::put(const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    line_.string(*text);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    line_.number(*number);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    line_.number(*integer);
  } else if (std::holds_alternative<std::monostate>(value)) {
    line_.raw("null");
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    line_.raw(*flag ? "true" : "false");
  } else if (const auto* id = std::get_if<ProcessId>(&value)) {
    put_id(line_, *id);
  } else if (const auto* time = std::get_if<WallTime>(&value)) {
    scratch_.clear();
    timestamps_.append_rfc3339(scratch_, *time);
    line_.string(scratch_);
  } else if (const auto* args = std::get_if<Arguments>(&value)) {
    put_arguments(line_, *args);
  } else if (const auto* hex = std::get_if<Hex>(&value)) {
    std::array<char, 16> digits = hex->digits();
    line_.string({digits.data(), digits.size()});
  } else if (const auto* owned = std::get_if<std::string>(&value)) {
    line_.string(*owned);
  }
}

}  // namespace bpftrap
