// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "e2e/failure.h"

namespace e2e {

std::string hierarchy(const std::string& controller) {
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string source, target, type, options;
    fields >> source >> target >> type >> options;
    if (controller.empty()
            ? type == "cgroup2"
            : type == "cgroup" &&
                  ("," + options + ",").find("," + controller + ",") != std::string::npos) {
      return target;
    }
  }
  return "";
}

bool write_file(const std::string& path, const std::string& text) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

Group::Group(std::string path) : path_(std::move(path)) {
  if (::mkdir(path_.c_str(), 0755) != 0) {
    throw Failure("cannot create the cgroup " + path_);
  }
}

Group::~Group() {
  ::rmdir(path_.c_str());
}

void Group::enter() const {
  if (!write_file(path_ + "/cgroup.procs", "0")) {
    ::_exit(125);
  }
}

std::unique_ptr<Group> limited_group(const std::string& name, std::uint64_t bytes) {
  const std::string limit = std::to_string(bytes);
  if (std::string v1 = hierarchy("memory"); !v1.empty()) {
    auto group = std::make_unique<Group>(v1 + name);
    return write_file(group->path() + "/memory.limit_in_bytes", limit) ? std::move(group) : nullptr;
  }
  std::string v2 = hierarchy();
  if (v2.empty()) {
    return nullptr;
  }
  write_file(v2 + "/cgroup.subtree_control", "+memory");
  auto group = std::make_unique<Group>(v2 + name);
  return write_file(group->path() + "/memory.max", limit) ? std::move(group) : nullptr;
}

}  // namespace e2e
