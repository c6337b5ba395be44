// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/environments.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

EnvironmentRecord part_of(Pid pid, std::string_view strings) {
  EnvironmentRecord record{};
  record.process = {pid, 1};
  record.strings = strings;
  return record;
}

ExecRecord exec_of(Pid pid, std::size_t env_size) {
  ExecRecord record{};
  record.process.id = {pid, 1};
  record.env_size = env_size;
  return record;
}

TEST(Environments, PartsOfOneProcessAreJoined) {
  Environments environments;
  environments.add(part_of(1, "A=1,"));
  environments.add(part_of(2, "C=3,"));
  environments.add(part_of(1, "B=2,"));
  EXPECT_EQ(environments.bytes(), 12U);
  EXPECT_EQ(environments.take(exec_of(1, 8)), "A=1,B=2,");
  EXPECT_EQ(environments.take(exec_of(2, 8)), std::nullopt) << "a part was lost";
  EXPECT_EQ(environments.bytes(), 0U);
  EXPECT_EQ(environments.size(), 0U);
}

// The exec records of one process after the other are lost.
TEST(Environments, ThoseOfLostExecsAreBounded) {
  Environments environments;
  const std::string strings(8000, 'x');
  std::size_t most = 0;
  for (Pid pid = 1; pid < 5000; ++pid) {
    for (int i = 0; i < 8; ++i) {
      environments.add(part_of(pid, strings));
    }
    most = std::max(most, environments.bytes());
    ASSERT_LE(environments.bytes(), Environments::bytes_most);
    ASSERT_LE(environments.size(), Environments::most);
  }
  EXPECT_GT(most, Environments::bytes_most / 2);
  environments.add(part_of(5000, "A=1,"));
  EXPECT_EQ(environments.take(exec_of(5000, 4)), "A=1,");
}

}  // namespace
}  // namespace bpftrap
