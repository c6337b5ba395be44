// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/ring_buffer_map.h"

#include <bpf/bpf.h>

#include <system_error>
#include <utility>

#include "core/os/signals.h"

namespace bpftrap {

RingBufferMap::RingBufferMap(std::string name, std::uint32_t bytes)
    : name_(std::move(name)), bytes_(bytes) {
  BlockedSignals blocked;
  try {
    thread_ = std::thread([this] {
      map_ = UniqueFd(bpf_map_create(BPF_MAP_TYPE_RINGBUF, name_.c_str(), 0, 0, bytes_, nullptr));
    });
  } catch (const std::system_error&) {
    // No thread: libbpf creates the map.
  }
}

RingBufferMap::~RingBufferMap() {
  wait();
}

void RingBufferMap::become(bpf_map* map) {
  wait();
  bpf_map__set_max_entries(map, bytes_);
  if (map_) {
    bpf_map__reuse_fd(map, map_.get());
    map_.reset();  // libbpf has a copy
  }
}

void RingBufferMap::wait() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace bpftrap
