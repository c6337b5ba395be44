// SPDX-License-Identifier: GPL-2.0-only
// core/text/units.h: accepted values with their exact meaning, and messages for refused ones.
#include "core/text/units.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace bpftrap {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kSecond = std::chrono::seconds(1);
constexpr nanoseconds kMillisecond = std::chrono::milliseconds(1);

// Text of the exception; "" without one.
template <typename Parse>
std::string refusal(Parse parse) {
  try {
    parse();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

struct DurationCase {
  std::string text;
  std::int64_t ns;
};

TEST(ParseDuration, NumberAndUnit) {
  const std::vector<DurationCase> cases{
      {"1ns", 1},
      {"1us", 1'000},
      {"1ms", 1'000'000},
      {"1s", 1'000'000'000},
      {"1m", 60'000'000'000},
      {"1h", 3'600'000'000'000},
      {"1d", 86'400'000'000'000},
      {"007s", 7'000'000'000},
      {"00000000000000000000000000000001ns", 1},
      {"1.5s", 1'500'000'000},
      {".5s", 500'000'000},
      {"0.1m", 6'000'000'000},
      {"1.25h", 4'500'000'000'000},
      {"1.50000000000000000000000000000000s", 1'500'000'000},
      {"9223372036854775807ns", std::numeric_limits<std::int64_t>::max()},
      {"9223372036.854775807s", std::numeric_limits<std::int64_t>::max()},
      {"2562047h", 9'223'369'200'000'000'000},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(parse_duration(c.text, kSecond).count(), c.ns) << c.text;
  }
}

TEST(ParseDuration, SeveralAddUp) {
  const std::vector<DurationCase> cases{
      {"1h30m", 5'400'000'000'000}, {"1d2h3m4s5ms6us7ns", 93'784'005'006'007},
      {"1s1ms", 1'001'000'000},     {"1m1m", 120'000'000'000},
      {"1ms1s", 1'001'000'000},     {"1.5h.5m", 5'430'000'000'000},
      {"0h5s", 5'000'000'000},      {"106751d2047s", 9'223'288'447'000'000'000},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(parse_duration(c.text, kSecond).count(), c.ns) << c.text;
  }
}

TEST(ParseDuration, RefusesLessThanANanosecond) {
  for (const std::string text :
       {"0", "0s", "0.0", "0h0m", "0.9ns", "0.5ns0.5ns", "0.000000000000277777h", "0.0000000001"}) {
    EXPECT_EQ(refusal([&] { parse_duration(text, kSecond); }), "is too short; expected 1ns or more")
        << text;
  }
}

TEST(ParseDuration, FractionsAreExact) {
  const std::vector<DurationCase> cases{
      // A double has 53 bits, too few for these values.
      {"1000000000.123456789s", 1'000'000'000'123'456'789},
      {"9007199.254740993s", 9'007'199'254'740'993},
      {"0.999999999s", 999'999'999},
      {"0.000000001s", 1},
      {"0.1s", 100'000'000},
      {"0.3ms", 300'000},
      {"0.000000000000277778h", 1},
      {"1.9ns", 1},
      {"0.9999999999s", 999'999'999},
      {"0.99999999999999999999999999999999999999999999s", 999'999'999},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(parse_duration(c.text, kSecond).count(), c.ns) << c.text;
  }
}

TEST(ParseDuration, BareNumbersAreInTheUnitOfTheOption) {
  EXPECT_EQ(parse_duration("250", kMillisecond), std::chrono::milliseconds(250));
  EXPECT_EQ(parse_duration("250", kSecond), std::chrono::seconds(250));
  EXPECT_EQ(parse_duration("0.5", kMillisecond), std::chrono::microseconds(500));
  EXPECT_EQ(parse_duration("0.5", kSecond), std::chrono::milliseconds(500));
  EXPECT_EQ(parse_duration("3us", kSecond), std::chrono::microseconds(3));
}

TEST(ParseDuration, RefusesWhatIsNoTime) {
  for (const std::string text :
       {"",       " ",    "s",   "ms",    ".",    ".s",   "5.",    "5.s",    "-1s",
        "-0",     "+1s",  "1 s", " 1s",   "1s ",  "1e3s", "0x10s", "1,5s",   "1.2.3s",
        "1w",     "1S",   "1MS", "1Ms",   "1min", "1sec", "1µs",   "1h30",   "inf",
        "nan",    "1\n",  "٣s",  "1.-5s", "1.s5", "1h30", "30 1h", "1h 30m", "1h,30m",
        "1h-30m", "h30m", "1hm", "1h.m",  "5m5"}) {
    EXPECT_EQ(refusal([&] { parse_duration(text, kSecond); }),
              "is not a time; expected a number with ns, us, ms, s, m, h or d, or several (1h30m)")
        << '"' << text << '"';
  }
  EXPECT_NE(refusal([] { parse_duration(std::string_view("1s\0", 3), kSecond); }), "");
}

TEST(ParseDuration, RefusesWhatIsTooLong) {
  for (const std::string text :
       {"9223372036854775808ns", "9223372036.854775808s", "2562048h", "9223372037s", "153722868m",
        "18446744073709551615h", "18446744073709551616ns", "18446744073709551617ns",
        "99999999999999999999999999999999999999999s", "106752d", "106751d1d", "2562047h1h",
        "9223372036854775807ns1ns"}) {
    EXPECT_EQ(refusal([&] { parse_duration(text, kSecond); }),
              "is too long; expected at most 106751d")
        << text;
  }
  EXPECT_NE(refusal([] { parse_duration("9223372036854775807", kSecond); }), "");
  EXPECT_EQ(refusal([] { parse_duration("9223372036854775807", nanoseconds(1)); }), "");
}

TEST(ParseSize, PowersOf1024) {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  struct Case {
    std::string text;
    std::uint64_t bytes;
  };
  const std::vector<Case> cases{
      {"0", 0},
      {"1", 1},
      {"4096", 4096},
      {"64K", 65'536},
      {"64k", 65'536},
      {"1M", 1'048'576},
      {"1m", 1'048'576},
      {"3G", 3'221'225'472},
      {"3g", 3'221'225'472},
      {"2T", 2'199'023'255'552},
      {"2t", 2'199'023'255'552},
      {"16777215T", max - ((1ULL << 40) - 1)},
      {"18446744073709551615", max},
      {"18014398509481983K", max - 1023},
      {"17179869183G", max - ((1ULL << 30) - 1)},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(parse_size(c.text), c.bytes) << c.text;
  }
}

TEST(ParseSize, Refuses) {
  for (const std::string text : {"", "K", "-1", "+1", "1KB", "1KiB", "1P", "1B", "1.5M", "1 K",
                                 " 1", "0x10", "1K1", "one"}) {
    EXPECT_EQ(refusal([&] { parse_size(text); }),
              "is not a size; expected a number of bytes, or a number with K, M, G or T")
        << '"' << text << '"';
  }
  for (const std::string text :
       {"18446744073709551616", "18014398509481984K", "17592186044416M", "17179869184G",
        "16777216T", "18446744073709551615G", "99999999999999999999999"}) {
    EXPECT_EQ(refusal([&] { parse_size(text); }), "is too large; expected less than 16777216T")
        << text;
  }
}

TEST(ParseCount, WholeNumbersFromOne) {
  EXPECT_EQ(parse_count("1"), 1U);
  EXPECT_EQ(parse_count("0042"), 42U);
  EXPECT_EQ(parse_count("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const std::string text :
       {"", "0", "00", "-1", "+1", "1.0", "1K", " 1", "1 ", "ten", "1,2"}) {
    EXPECT_EQ(refusal([&] { parse_count(text); }), "is not a count; expected a whole number from 1")
        << '"' << text << '"';
  }
  EXPECT_EQ(refusal([] { parse_count("18446744073709551616"); }),
            "is too large; expected at most 19 digits");
}

TEST(ParsePid, WithinTheKernelsLimit) {
  EXPECT_EQ(parse_pid("1"), 1U);
  EXPECT_EQ(parse_pid("4194304"), 4'194'304U);
  for (const std::string text : {"", "0", "-1", "+1", "4194305", "4294967297", "1.0", "0x1", "self",
                                 "1,2", "18446744073709551617", " 1", "1\n"}) {
    EXPECT_EQ(refusal([&] { parse_pid(text); }), "is not a process id; expected 1 to 4194304")
        << '"' << text << '"';
  }
}

TEST(ParsePidOrId, APidOrTheIdOfARecord) {
  EXPECT_EQ(parse_pid_or_id("4711"), (PidOrId{4711}));
  EXPECT_EQ(parse_pid_or_id("4711-123456789012"), (PidOrId{4711, 123456789012}));
  for (const std::string text : {"", "0", "-1", "1-", "1-0", "0-1", "1-2-3", "1--2", "-", "1-x",
                                 "1-99999999999999999999", "4194305-1", "1,2", "1 -2"}) {
    EXPECT_EQ(refusal([&] { parse_pid_or_id(text); }),
              "is not a process; expected a pid from 1 to 4194304, or an id PID-START")
        << '"' << text << '"';
  }
}

}  // namespace
}  // namespace bpftrap
