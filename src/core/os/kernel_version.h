// SPDX-License-Identifier: GPL-2.0-only
// The running kernel's release. Prefer kernel_features.h: distributions backport.
#pragma once

#include <string>

namespace bpftrap {

struct KernelVersion {
  int major = 0;
  int minor = 0;

  bool at_least(int want_major, int want_minor) const {
    return major > want_major || (major == want_major && minor >= want_minor);
  }
};

// Parses a release as `uname -r` prints it ("5.10.0-46-cloud-amd64"). 0.0 if it has no version.
KernelVersion parse_kernel_version(const std::string& release);

// Whether the running kernel is that version or a later one.
bool kernel_is_at_least(int major, int minor);

}  // namespace bpftrap
