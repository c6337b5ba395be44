// SPDX-License-Identifier: GPL-2.0-only
// One line of bpftrap's JSON stream, and the schema that validates it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace e2e {

// An object of the stream. A getter throws Failure if the key is missing or has another type.
class Record {
 public:
  // Throws Failure unless the line is a flat JSON object in valid UTF-8 with unique keys. The
  // message does not repeat the line, which may be about a process of another user.
  static Record parse(std::string_view line);

  std::string kind() const { return text("event"); }
  bool has(const char* key) const;
  bool is_null(const char* key) const;
  std::uint64_t number(const char* key) const;
  std::string text(const char* key) const;
  bool flag(const char* key) const;
  std::vector<std::string> strings(const char* key) const;
  // Null if the key's value is null.
  std::optional<std::string> maybe_text(const char* key) const;
  std::optional<std::uint64_t> maybe_number(const char* key) const;
  std::vector<std::string> keys() const;
  // START in the key `id`, which is PID-START.
  std::uint64_t start_ns() const;

  struct Json;

 private:
  explicit Record(std::shared_ptr<const Json> json) : json_(std::move(json)) {}
  std::shared_ptr<const Json> json_;
};

// docs/records.schema.json, from the path in the environment variable BPFTRAP_SCHEMA.
class Schema {
 public:
  // The schema for every stream.
  static const Schema& get();

  bool loaded() const { return json_ != nullptr; }
  // The reason if there is no schema.
  const std::string& reason() const { return reason_; }
  // Returns the fault of the record, or "". Without a schema every record is valid.
  std::string violation(const Record::Json& record) const;
  std::string violation_of_line(std::string_view line) const;

  struct Json;

 private:
  Schema();
  std::shared_ptr<const Json> json_;
  std::string reason_;
};

}  // namespace e2e
