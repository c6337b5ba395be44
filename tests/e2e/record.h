// SPDX-License-Identifier: GPL-2.0-only
// One line of bpftrap's JSON stream as tests see it, and the schema that it is held against.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace e2e {

// An object of the stream. What is asked for must be there and of that type; otherwise Failure.
class Record {
 public:
  // Throws Failure where the line is no flat JSON object in valid UTF-8 with each key once. The
  // message does not repeat the line, which may be about somebody else's process.
  static Record parse(std::string_view line);

  std::string kind() const { return text("event"); }
  bool has(const char* key) const;
  bool is_null(const char* key) const;
  std::uint64_t number(const char* key) const;
  std::string text(const char* key) const;
  bool flag(const char* key) const;
  std::vector<std::string> strings(const char* key) const;
  // Null where the key's value is null.
  std::optional<std::string> maybe_text(const char* key) const;
  std::optional<std::uint64_t> maybe_number(const char* key) const;
  std::vector<std::string> keys() const;
  // START of the key `id`, which is PID-START.
  std::uint64_t start_ns() const;

  struct Json;

 private:
  explicit Record(std::shared_ptr<const Json> json) : json_(std::move(json)) {}
  std::shared_ptr<const Json> json_;
};

// docs/records.schema.json, at the path that the environment variable BPFTRAP_SCHEMA gives.
class Schema {
 public:
  // The one that every stream is held against.
  static const Schema& get();

  bool loaded() const { return json_ != nullptr; }
  // Why it is not, where it is not.
  const std::string& reason() const { return reason_; }
  // What is wrong with the record, or nothing. Without a schema everything is right.
  std::string violation(const Record::Json& record) const;
  std::string violation_of_line(std::string_view line) const;

  struct Json;

 private:
  Schema();
  std::shared_ptr<const Json> json_;
  std::string reason_;
};

}  // namespace e2e
