// SPDX-License-Identifier: GPL-2.0-only
// Types of fields, in both sinks.
#include "core/record/field_builders.h"

#include <gtest/gtest.h>

#include "core/output/json_sink.h"
#include "core/output/table_sink.h"

namespace bpftrap {
namespace {

using namespace std::literals;

// Integers of every kind that a field may have.
struct IntegerRecord {
  std::int64_t wide = 0;
  std::optional<int> narrow;
  std::uint8_t small = 0;
  std::chrono::nanoseconds shift{};
  std::int64_t growth = 0;
};

FieldTable fields_of(const IntegerRecord*) {
  using R = IntegerRecord;
  static constexpr auto table =
      field_table<R>(event_field<R>("integer"), field<&R::wide>("wide", "any").column("WIDE"),
                     field<&R::narrow>("narrow", "any; null if unknown").column("NARROW"),
                     field<&R::small>("small", "any").column("SMALL"),
                     field<&R::shift>("shift_ns", "any").column("SHIFT"),
                     field<&R::growth>("growth_bytes", "any").column("GROWTH").in(Unit::bytes));
  return table;
}

std::string json(const IntegerRecord& record) {
  WallClock clock;
  std::string out;
  JsonSink({out, clock}).write(record);
  return out;
}

TEST(Integers, KeepTheirSignInJson) {
  EXPECT_EQ(json(IntegerRecord{}),
            "{\"event\":\"integer\",\"wide\":0,\"narrow\":null,"
            "\"small\":0,\"shift_ns\":0,\"growth_bytes\":0}\n");
  EXPECT_EQ(json(IntegerRecord{INT64_MIN, -1, 255, -5ns, INT64_MAX}),
            "{\"event\":\"integer\",\"wide\":-9223372036854775808,\"narrow\":-1,\"small\":255,"
            "\"shift_ns\":-5,\"growth_bytes\":9223372036854775807}\n");
  for (const Field& field : fields<IntegerRecord>().subspan(1)) {
    EXPECT_EQ(field.type, JsonType::integer) << field.key;
  }
}

TEST(Integers, KeepTheirSignInTheTable) {
  WallClock clock;
  std::string out;
  TableSink sink(
      {out, clock, {fields<IntegerRecord>()}, {"WIDE", "NARROW", "SMALL", "SHIFT", "GROWTH"}});
  sink.write(IntegerRecord{INT64_MIN, -1, 255, -1500us, -2048});
  EXPECT_EQ(out, "-9223372036854775808 -1     255   -1.50ms -2.0K\n");
}

TEST(Value, TimesHaveText) {
  std::string out;
  append_value(out, WallTime{1769860800'123456789}, Unit::none);
  EXPECT_EQ(out, "2026-01-31T12:00:00.123456789Z");
}

// json_type() refuses any other type at compile time.
using field_types::is_supported;
static_assert(is_supported<int> && is_supported<std::uint16_t> && is_supported<std::string> &&
              is_supported<WallTime>);
static_assert(!is_supported<double> && !is_supported<char> && !is_supported<const char*> &&
              !is_supported<std::chrono::seconds> && !is_supported<JsonType> &&
              !is_supported<Sender>);

}  // namespace
}  // namespace bpftrap
