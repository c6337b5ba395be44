// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/pid_namespace.h"

#include <sys/stat.h>

namespace bpftrap {

PidNamespace own_pid_namespace() {
  constexpr ino_t initial = 0xEFFFFFFC;  // PROC_PID_INIT_INO of include/linux/proc_ns.h
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) != 0) {
    return PidNamespace::unknown;
  }
  return status.st_ino == initial ? PidNamespace::initial : PidNamespace::other;
}

}  // namespace bpftrap
