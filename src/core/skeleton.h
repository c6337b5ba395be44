// SPDX-License-Identifier: GPL-2.0-only
// Ownership of a generated skeleton, by the stage it is in: what has been loaded cannot be
// configured any more, and the compiler says so. Errors name the step and carry libbpf's reason.
#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/memlock.h"

namespace bpftrap {

// What a failed step is told with.
struct BpfStep {
  std::string_view command;
  std::string_view step;  // «load», «attach» …
  int err = 0;            // positive errno
};

// Throws its Error: the likely cause and what mends it (core/diagnosis.h), with what libbpf says of
// it as a detail.
[[noreturn]] void throw_bpf_error(const BpfStep& step);

template <class Skeleton>
struct DestroySkeleton {
  void operator()(Skeleton* skeleton) const { Skeleton::destroy(skeleton); }
};

template <class Skeleton>
using SkeletonPointer = std::unique_ptr<Skeleton, DestroySkeleton<Skeleton>>;

// In the kernel; attached between attach() and detach().
template <class Skeleton>
class LoadedSkeleton {
 public:
  LoadedSkeleton(SkeletonPointer<Skeleton> skeleton, std::string command)
      : skeleton_(std::move(skeleton)), command_(std::move(command)) {}

  void attach() {
    if (int err = Skeleton::attach(skeleton_.get()); err != 0) {
      throw_bpf_error({command_, "attach", -err});
    }
  }
  void detach() { Skeleton::detach(skeleton_.get()); }

  auto& maps() { return skeleton_->maps; }
  auto& progs() { return skeleton_->progs; }

 private:
  SkeletonPointer<Skeleton> skeleton_;
  std::string command_;
};

// Open: read-only data, map sizes and which programs to load may be set.
template <class Skeleton>
class OpenSkeleton {
 public:
  explicit OpenSkeleton(std::string_view command)
      : skeleton_(Skeleton::open(nullptr)), command_(command) {
    if (!skeleton_) {
      throw_bpf_error({command_, "open", errno});
    }
  }

  auto& rodata() { return *skeleton_->rodata; }
  auto& maps() { return skeleton_->maps; }
  auto& progs() { return skeleton_->progs; }

  LoadedSkeleton<Skeleton> load() && {
    raise_memlock_limit();
    if (int err = Skeleton::load(skeleton_.get()); err != 0) {
      throw_bpf_error({command_, "load", -err});
    }
    return LoadedSkeleton<Skeleton>(std::move(skeleton_), std::move(command_));
  }

 private:
  SkeletonPointer<Skeleton> skeleton_;
  std::string command_;
};

}  // namespace bpftrap
