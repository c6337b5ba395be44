// SPDX-License-Identifier: GPL-2.0-only
// The map of a ring buffer, created in a thread: the kernel takes 2 ms to clear 8 MiB.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <string>
#include <thread>

#include "core/os/unique_fd.h"

namespace bpftrap {

class RingBufferMap {
 public:
  RingBufferMap(std::string name, std::uint32_t bytes);
  RingBufferMap(const RingBufferMap&) = delete;
  RingBufferMap& operator=(const RingBufferMap&) = delete;
  ~RingBufferMap();

  // Lets an object that is not loaded use this map. The second object gets one of its own, and so
  // does the first if the kernel refused this map: libbpf then reports the reason.
  void become(bpf_map* map);

 private:
  void wait();

  std::string name_;
  std::uint32_t bytes_;
  UniqueFd map_;
  std::thread thread_;
};

}  // namespace bpftrap
