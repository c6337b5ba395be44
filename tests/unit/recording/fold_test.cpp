// SPDX-License-Identifier: GPL-2.0-only
// Folding loses no byte, makes records small, and survives any input.
#include "core/recording/fold.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/recording/reader.h"
#include "unit/recording/golden.h"

namespace bpftrap {
namespace {

std::size_t payload_size(const std::vector<std::string>& records) {
  std::size_t size = 0;
  for (const std::string& record : records) {
    size += sizeof(std::uint32_t) + record.size();
  }
  return size;
}

std::string fold(const std::vector<std::string>& records) {
  Folder folder;
  folder.add(std::as_bytes(std::span("of an earlier payload")));
  folder.clear();
  for (const std::string& record : records) {
    folder.add(std::as_bytes(std::span(record)));
  }
  return {reinterpret_cast<const char*>(folder.bytes().data()), folder.bytes().size()};
}

std::optional<std::vector<std::string>> unfold(Unfolder& unfolder, std::string_view folded,
                                               std::size_t size) {
  std::vector<std::byte> payload(size);
  if (!unfolder.unfold(std::as_bytes(std::span(folded)), payload)) {
    return std::nullopt;
  }
  std::vector<std::string> records;
  EXPECT_TRUE(for_each_record(payload, [&records](std::span<const std::byte> record) {
    records.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
    return true;
  }));
  return records;
}

void expect_round_trip(const std::vector<std::string>& records) {
  Unfolder unfolder;
  for (int time = 0; time < 2; ++time) {  // the second time with the state of the first
    auto unfolded = unfold(unfolder, fold(records), payload_size(records));
    ASSERT_TRUE(unfolded);
    EXPECT_EQ(*unfolded, records);
  }
}

// A record with this struct and data. Its bytes beyond the header are random and mostly 0.
std::string random_record(std::mt19937& random, std::uint8_t kind, std::size_t fixed,
                          std::size_t data) {
  bpftrap_record_header header{};
  header.size = static_cast<std::uint32_t>(fixed + data);
  header.fixed = static_cast<std::uint16_t>(fixed);
  header.version = static_cast<std::uint8_t>(random() % 2 + 3);
  header.kind = kind;
  std::string record(reinterpret_cast<const char*>(&header), sizeof header);
  while (record.size() < header.size) {
    record += static_cast<char>(random() % 4 == 0 ? random() : 0);
  }
  return record;
}

TEST(Fold, KnownRecords) {
  expect_round_trip({});
  expect_round_trip(golden_records_1());
  expect_round_trip(golden_records_folded_1());
}

TEST(Fold, AnyRecord) {
  std::mt19937 random(1);
  std::vector<std::string> records = {"", "x", std::string(16, '\0'), std::string(5000, 'x')};
  for (int i = 0; i < 3000; ++i) {
    auto kind = static_cast<std::uint8_t>(i % 3 == 0 ? random() : random() % 10);
    std::size_t fixed = i % 4 == 0 ? 16 + random() % 4200 : 16 + 8 * (random() % 60);
    records.push_back(random_record(random, kind, fixed, random() % 3 == 0 ? random() % 9000 : 0));
  }
  expect_round_trip(records);
}

TEST(Fold, AnotherRunOfTheSameProgramIsSmall) {
  std::vector<std::string> records = golden_records_folded_1();
  std::vector<std::string> one(records.begin(), records.begin() + 12);
  std::vector<std::string> two(records.begin(), records.begin() + 15);
  EXPECT_LT(fold(two).size() - fold(one).size(), 90U) << "fork, exec, exit: 817 bytes";
}

TEST(Fold, DamageDoesNoHarm) {
  std::vector<std::string> records = golden_records_folded_1();
  std::string folded = fold(records);
  std::size_t size = payload_size(records);
  Unfolder unfolder;
  for (std::size_t at = 0; at < folded.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::string changed = folded;
      changed[at] = static_cast<char>(changed[at] ^ change);
      unfold(unfolder, changed, size);  // the result may be anything, as long as it is in bounds
    }
    EXPECT_FALSE(unfold(unfolder, folded.substr(0, at), size)) << at;
  }
  EXPECT_FALSE(unfold(unfolder, folded, size - 1));
  EXPECT_FALSE(unfold(unfolder, folded, size + 1));
  EXPECT_FALSE(unfold(unfolder, folded + '\0', size));
  EXPECT_EQ(unfold(unfolder, folded, size), records);
}

}  // namespace
}  // namespace bpftrap
