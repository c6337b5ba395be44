// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/tracefs.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "core/os/error.h"

namespace bpftrap {

namespace {

constexpr const char* usual_place = "/sys/kernel/tracing";
// Its place in debugfs. libbpf looks here first.
constexpr const char* older_place = "/sys/kernel/debug/tracing";

bool is_tracefs(const std::string& place) {
  return ::access((place + "/events").c_str(), F_OK) == 0;
}

// Keeps mounts below from propagating to the original namespace. In a chroot `/` need not be a
// mount point; /sys is one.
bool make_private() {
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ||
         (errno == EINVAL && ::mount("none", "/sys", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

[[noreturn]] void give_up(int err) {
  throw Error("tracefs is not mounted and cannot be mounted for bpftrap alone", err,
              ::access("/sys/kernel", F_OK) != 0
                  ? "sysfs is not mounted: sudo mount -t sysfs sysfs /sys"
                  : "run it with sudo, or mount it once: sudo mount -t tracefs tracefs "
                    "/sys/kernel/tracing");
}

}  // namespace

std::string provide_tracefs() {
  for (const char* place : {older_place, usual_place}) {
    if (is_tracefs(place)) {
      return place;
    }
    // Probably mounted, but this user may not look into it.
    if (::access(place, X_OK) != 0 && errno == EACCES) {
      throw Error(std::string("cannot look into ") + place, EACCES,
                  "classic tracepoints are found there: run it with sudo");
    }
  }
  if (::unshare(CLONE_NEWNS) != 0 || !make_private() ||
      ::mount("tracefs", usual_place, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    give_up(errno);
  }
  if (!is_tracefs(usual_place)) {
    give_up(ENOENT);
  }
  return usual_place;
}

}  // namespace bpftrap
