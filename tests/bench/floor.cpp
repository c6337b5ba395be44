// SPDX-License-Identifier: GPL-2.0-only
#include "bench/floor.h"

#include <bpf/libbpf.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "bpf/record.h"
#include "e2e/child.h"
#include "floor.skel.h"

namespace bench {

namespace {

int take(void*, void*, std::size_t) {
  return 0;
}

struct Destroy {
  void operator()(floor_bpf* skeleton) const { floor_bpf::destroy(skeleton); }
  void operator()(ring_buffer* buffer) const { ring_buffer__free(buffer); }
};

bool asked_to_end(int signals) {
  signalfd_siginfo info;
  return ::read(signals, &info, sizeof info) > 0;
}

}  // namespace

int run_floor(const std::string& kind) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  int signals = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

  std::unique_ptr<floor_bpf, Destroy> skeleton(floor_bpf::open());
  if (!skeleton) {
    return 1;
  }
  bool empty = kind == "empty";
  bpf_program__set_autoload(skeleton->progs.empty_exec, empty);
  bpf_program__set_autoload(skeleton->progs.empty_exit, empty);
  bpf_program__set_autoload(skeleton->progs.submit_exec, !empty);
  bpf_program__set_autoload(skeleton->progs.submit_exit, !empty);
  bpf_map__set_max_entries(skeleton->maps.records, BPFTRAP_BUFFER_DEFAULT);
  skeleton->rodata->submit_flags = kind == "wake" ? 0 : BPF_RB_NO_WAKEUP;
  if (floor_bpf::load(skeleton.get()) != 0 || floor_bpf::attach(skeleton.get()) != 0) {
    return 1;
  }
  std::unique_ptr<ring_buffer, Destroy> buffer(
      ring_buffer__new(bpf_map__fd(skeleton->maps.records), take, nullptr, nullptr));
  if (!buffer) {
    return 1;
  }
  std::puts("live");
  std::fflush(stdout);
  while (!asked_to_end(signals)) {
    if (kind == "wake") {
      ring_buffer__poll(buffer.get(), 10);
    } else {
      e2e::sleep_for(std::chrono::milliseconds(10));
      ring_buffer__consume(buffer.get());
    }
  }
  return 0;
}

}  // namespace bench
