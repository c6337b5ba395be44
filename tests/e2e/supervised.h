// SPDX-License-Identifier: GPL-2.0-only
// A bpftrap whose bpf() calls the test may refuse, as a kernel would.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"

namespace e2e {

class SupervisedBpftrap {
 public:
  // Returns the errno with which to refuse a call of the bpftrap with that pid, or 0.
  using Judge = std::function<int(const seccomp_notif& call, pid_t bpftrap)>;

  // Throws Failure.
  SupervisedBpftrap(const std::vector<std::string>& args, const Judge& judge);

  Bpftrap& bpftrap() { return *bpftrap_; }
  std::uint64_t refused() { return refused_[0]; }
  // Waits for the supervisor, after bpftrap has ended. Returns its status, 0 if it worked.
  int wait() { return supervisor_->wait().status; }

 private:
  int supervise(const Judge& judge);

  SharedWords listener_;
  SharedWords refused_;
  Gate taken_;
  std::optional<Bpftrap> bpftrap_;
  std::optional<Child> supervisor_;
};

}  // namespace e2e
