// SPDX-License-Identifier: GPL-2.0-only
// The record `death` of `why died`, and ends that are kept longer than the bytes that told them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/field.h"

namespace bpftrap {

// A copy of an exit record, with its texts.
class KeptExit {
 public:
  explicit KeptExit(const ExitRecord& record);
  KeptExit(KeptExit&&) = default;
  KeptExit& operator=(KeptExit&&) = default;
  KeptExit(const KeptExit&) = delete;
  KeptExit& operator=(const KeptExit&) = delete;
  ~KeptExit() = default;

  const ExitRecord& record() const { return record_; }
  // The program that it ran last.
  void set_program(std::optional<std::string_view> filename, std::optional<std::string_view> exe,
                   std::optional<std::string_view> cwd, std::optional<Arguments> args);

 private:
  std::string_view keep(std::string_view text);
  std::optional<std::string_view> keep(const std::optional<std::string_view>& text);

  ExitRecord record_;
  std::deque<std::string> texts_;  // which do not move
};

// The exit record comes first, because the fields of `exit` read it there.
struct DeathRecord {
  ExitRecord exit;
  std::optional<std::string> ancestors = {};  // each text with a NUL behind it, as all below
  std::optional<std::string> ancestor_ids = {};
  std::optional<std::string> killer_args = {};
  std::optional<std::string> killer_ancestors = {};
  std::optional<std::string> killer_ancestor_ids = {};
  std::uint64_t recent = 0;
};

FieldTable fields_of(const DeathRecord*);

}  // namespace bpftrap
