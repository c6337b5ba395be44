// SPDX-License-Identifier: GPL-2.0-only
// Compares two recordings: the programs that ran, how often, with which status, and how long. Pure
// functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/diff/tree.h"
#include "core/record/field.h"

namespace bpftrap {

struct DiffRecord {
  enum class Kind { only_a, only_b, count, status, time };

  Kind kind = Kind::only_a;
  std::optional<Arguments> args = {};  // of an example
  std::uint64_t a_count = 0;
  std::uint64_t b_count = 0;
  std::optional<std::string> a_status = {};
  std::optional<std::string> b_status = {};
  std::optional<std::chrono::nanoseconds> a_time = {};  // the median
  std::optional<std::chrono::nanoseconds> b_time = {};
  // For people only.
  std::string title = {};
  std::string started_by = {};
  std::uint64_t alike = 1;  // command lines that changed in the same way

  bool decides() const { return kind != Kind::time; }
};

FieldTable fields_of(const DiffRecord*);

struct DiffOptions {
  // True if differences of the program with this name, and of those below it, do not matter.
  std::function<bool(std::string_view)> ignores = {};
};

// Differences in the order of Kind, each in the order of the runs. Views point into the trees.
std::vector<DiffRecord> compare(const DiffTree& a, const DiffTree& b, const DiffOptions& options);

// A change of time counts if it exceeds this: 200 ms, half of the shorter time, and the spread of
// the times within each of both recordings.
std::chrono::nanoseconds time_noise(const DiffNode& a, const DiffNode& b);

}  // namespace bpftrap
