// SPDX-License-Identifier: GPL-2.0-only
// Cgroups of a test's own.
#pragma once

#include <memory>
#include <string>

namespace e2e {

// Where a hierarchy is mounted: of v2 where `controller` is empty, else of v1 with it. "" if
// nowhere.
std::string hierarchy(const std::string& controller = "");

bool write_file(const std::string& path, const std::string& text);

// A group, which has to be empty again when this goes. Throws Failure.
class Group {
 public:
  explicit Group(std::string path);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  const std::string& path() const { return path_; }
  // This process goes into it, or ends with 125.
  void enter() const;

 private:
  std::string path_;
};

// A group whose processes may have 32 MiB, in v1's hierarchy or in v2's. Null where neither has a
// memory controller.
std::unique_ptr<Group> limited_group(const std::string& name);

}  // namespace e2e
