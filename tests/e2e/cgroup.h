// SPDX-License-Identifier: GPL-2.0-only
// Cgroups that a test creates.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace e2e {

// The mount point of the v2 hierarchy, or of the v1 hierarchy with `controller`. "" if it is not
// mounted.
std::string hierarchy(const std::string& controller = "");

bool write_file(const std::string& path, const std::string& text);

// A group. It must be empty again when it is destroyed. Throws Failure.
class Group {
 public:
  explicit Group(std::string path);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  const std::string& path() const { return path_; }
  // Moves this process into the group, or ends it with status 125.
  void enter() const;

 private:
  std::string path_;
};

// A group with a memory limit, in v1 or v2. Null if neither has a memory controller.
std::unique_ptr<Group> limited_group(const std::string& name,
                                     std::uint64_t bytes = std::uint64_t{32} << 20);

}  // namespace e2e
