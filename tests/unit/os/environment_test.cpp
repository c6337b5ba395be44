// SPDX-License-Identifier: GPL-2.0-only
// The oracle for find_variable() is getenv().
#include "core/os/environment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace bpftrap {
namespace {

// The value that getenv() finds in this environment.
std::optional<std::string_view> get(const Environment& environment, const char* name) {
  std::vector<char*> pointers;
  for (const std::string& entry : environment) {
    pointers.push_back(const_cast<char*>(entry.c_str()));
  }
  pointers.push_back(nullptr);
  char** saved = std::exchange(environ, pointers.data());
  const char* value = std::getenv(name);
  environ = saved;
  return value != nullptr ? std::optional<std::string_view>(value) : std::nullopt;
}

TEST(Environment, FindsAVariableAsGetenvDoes) {
  const Environment environment{
      "HOMEPAGE=x", "HOM=y", "HOME=1", "HOME=2", "EMPTY=", "PATH", "", "=odd", "A=b=c", "LAST=z"};
  for (const char* name : {"HOME", "HOMEPAGE", "HOM", "HO", "EMPTY", "PATH", "A", "A=b", "LAST"}) {
    EXPECT_EQ(find_variable(environment, name), get(environment, name)) << name;
  }
}

TEST(Environment, SetReplacesEveryEntryOfTheName) {
  Environment environment{"HOME=1", "HOMEPAGE=x", "HOME=2", "HOME"};
  set_variable(environment, "HOME=3");
  EXPECT_EQ(environment, (Environment{"HOMEPAGE=x", "HOME=3"}));
}

}  // namespace
}  // namespace bpftrap
