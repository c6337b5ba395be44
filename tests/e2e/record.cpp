// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/record.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "e2e/failure.h"

namespace e2e {

struct Record::Json {
  // Blocks of 1 KiB instead of the usual 64 KiB. A test keeps tens of thousands of records, and
  // each process that it forks copies all page tables.
  rapidjson::MemoryPoolAllocator<> allocator{1024};
  rapidjson::Document document{&allocator, 256};

  const rapidjson::Value& at(const char* key) const {
    auto member = document.FindMember(key);
    if (member == document.MemberEnd()) {
      throw Failure(std::string("a record lacks the key ") + key);
    }
    return member->value;
  }
};

struct Schema::Json {
  explicit Json(const rapidjson::Document& document) : schema(document) {}
  rapidjson::SchemaDocument schema;
};

namespace {

[[noreturn]] void wrong_type(const char* key, const char* expected) {
  throw Failure(std::string("the key ") + key + " of a record is not " + expected);
}

std::string string_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

Record Record::parse(std::string_view line) {
  auto json = std::make_shared<Json>();
  json->document.Parse<rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
  if (json->document.HasParseError()) {
    throw Failure(std::string("a line of ") + std::to_string(line.size()) + " bytes is not JSON: " +
                  rapidjson::GetParseError_En(json->document.GetParseError()) + " at byte " +
                  std::to_string(json->document.GetErrorOffset()));
  }
  if (!json->document.IsObject()) {
    throw Failure("a line is not a JSON object");
  }
  std::set<std::string> seen;
  const rapidjson::Document& document = json->document;
  std::for_each(document.MemberBegin(), document.MemberEnd(), [&](const auto& member) {
    if (!seen.insert(string_of(member.name)).second) {
      throw Failure("a record has a key twice: " + string_of(member.name));
    }
    if (member.value.IsObject()) {
      throw Failure("a record is not flat, see its key " + string_of(member.name));
    }
  });
  if (std::string wrong = Schema::get().violation(*json); !wrong.empty()) {
    throw Failure(wrong);
  }
  return Record(std::move(json));
}

bool Record::has(const char* key) const {
  return json_->document.HasMember(key);
}

bool Record::is_null(const char* key) const {
  return json_->at(key).IsNull();
}

std::uint64_t Record::number(const char* key) const {
  const rapidjson::Value& value = json_->at(key);
  if (!value.IsUint64()) {
    wrong_type(key, "an unsigned integer");
  }
  return value.GetUint64();
}

std::string Record::text(const char* key) const {
  const rapidjson::Value& value = json_->at(key);
  if (!value.IsString()) {
    wrong_type(key, "a string");
  }
  return string_of(value);
}

bool Record::flag(const char* key) const {
  const rapidjson::Value& value = json_->at(key);
  if (!value.IsBool()) {
    wrong_type(key, "a boolean");
  }
  return value.GetBool();
}

std::vector<std::string> Record::strings(const char* key) const {
  const rapidjson::Value& value = json_->at(key);
  std::vector<std::string> all;
  if (!value.IsArray()) {
    wrong_type(key, "an array");
  }
  for (const rapidjson::Value& element : value.GetArray()) {
    if (!element.IsString()) {
      wrong_type(key, "an array of strings");
    }
    all.push_back(string_of(element));
  }
  return all;
}

std::optional<std::string> Record::maybe_text(const char* key) const {
  return is_null(key) ? std::nullopt : std::optional(text(key));
}

std::optional<std::uint64_t> Record::maybe_number(const char* key) const {
  return is_null(key) ? std::nullopt : std::optional(number(key));
}

std::vector<std::string> Record::keys() const {
  std::vector<std::string> all;
  std::for_each(json_->document.MemberBegin(), json_->document.MemberEnd(),
                [&](const auto& member) { all.push_back(string_of(member.name)); });
  return all;
}

std::uint64_t Record::start_ns() const {
  std::string id = text("id");
  std::uint64_t start = 0;
  std::size_t dash = id.find('-');
  const char* end = id.data() + id.size();
  if (dash == std::string::npos || id.substr(0, dash) != std::to_string(number("pid")) ||
      std::from_chars(id.data() + dash + 1, end, start).ptr != end) {
    throw Failure("the key id of a record is not PID-START");
  }
  return start;
}

Schema::Schema() {
  const char* path = std::getenv("BPFTRAP_SCHEMA");
  if (path == nullptr || *path == '\0') {
    reason_ = "BPFTRAP_SCHEMA is not set";
    return;
  }
  std::ifstream file(path);
  if (!file) {
    reason_ = std::string(path) + " (BPFTRAP_SCHEMA) cannot be read";
    return;
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  rapidjson::Document document;
  if (document.Parse(text.c_str()).HasParseError()) {
    throw Failure(std::string(path) + " (BPFTRAP_SCHEMA) is not JSON");
  }
  json_ = std::make_shared<Json>(document);
}

const Schema& Schema::get() {
  static const Schema schema;
  return schema;
}

std::string Schema::violation(const Record::Json& record) const {
  if (json_ == nullptr) {
    return "";
  }
  rapidjson::SchemaValidator validator(json_->schema);
  if (record.document.Accept(validator)) {
    return "";
  }
  rapidjson::StringBuffer schema_path;
  rapidjson::StringBuffer record_path;
  validator.GetInvalidSchemaPointer().StringifyUriFragment(schema_path);
  validator.GetInvalidDocumentPointer().StringifyUriFragment(record_path);
  std::string kind = "unknown";
  if (record.document.IsObject() && record.document.HasMember("event") &&
      record.document["event"].IsString()) {
    kind = record.document["event"].GetString();
  }
  return "a record of the kind " + kind +
         " violates the schema: " + validator.GetInvalidSchemaKeyword() + " of " +
         schema_path.GetString() + " at " + record_path.GetString();
}

std::string Schema::violation_of_line(std::string_view line) const {
  Record::Json json;
  json.document.Parse(line.data(), line.size());
  return json.document.HasParseError() ? "no JSON" : violation(json);
}

}  // namespace e2e
