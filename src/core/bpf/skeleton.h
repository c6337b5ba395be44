// SPDX-License-Identifier: GPL-2.0-only
// Ownership of a generated skeleton, one type per stage. A loaded skeleton cannot be configured any
// more, so its type has no function for it. Errors name the step and have libbpf's reason.
#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/self.h"
#include "core/bpf/memlock.h"
#include "core/bpf/relocation_btf.h"
#include "core/os/error.h"

namespace bpftrap {

// A failed step of loading BPF programs.
struct BpfStep {
  std::string_view command;
  std::string_view step;  // "load", "attach" …
  int err = 0;            // positive errno
};

// Thrown by open, load and attach. Its log has libbpf's warnings; core/doctor/explain.h finds the
// likely cause.
class BpfError : public Error {
 public:
  explicit BpfError(const BpfStep& step);
};

// Turns a program of a raw tracepoint (section "raw_tp/HOOK") into a tracing program of the same
// hook. The verifier knows the types of a tracing program's pointers, from the kernel's BTF.
void make_tracing(bpf_program* program, std::string_view command);

struct DestroyLink {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Links = std::vector<std::unique_ptr<bpf_link, DestroyLink>>;

// Attaches the programs that make_tracing() changed. The skeleton does not attach these.
Links attach_tracing(bpf_object* object, std::string_view command);

// Makes tracefs available if a program is for a classic tracepoint, because libbpf needs it to find
// the tracepoint. Throws Error.
void provide_tracepoints(const bpf_object* object);

// Describes this process for src/bpf/self.bpf.h. Throws Error.
bpftrap_self describe_self();

template <class Skeleton>
struct DestroySkeleton {
  void operator()(Skeleton* skeleton) const { Skeleton::destroy(skeleton); }
};

template <class Skeleton>
using SkeletonPointer = std::unique_ptr<Skeleton, DestroySkeleton<Skeleton>>;

// A skeleton whose programs are in the kernel. They are attached from attach() to detach().
template <class Skeleton>
class LoadedSkeleton {
 public:
  LoadedSkeleton(SkeletonPointer<Skeleton> skeleton, std::string command)
      : skeleton_(std::move(skeleton)), command_(std::move(command)) {}

  void attach() {
    provide_tracepoints(skeleton_->obj);
    if (int err = Skeleton::attach(skeleton_.get()); err != 0) {
      throw BpfError({command_, "attach", -err});
    }
    links_ = attach_tracing(skeleton_->obj, command_);
  }
  void detach() {
    links_.clear();
    Skeleton::detach(skeleton_.get());
  }

  bpf_object* object() { return skeleton_->obj; }
  auto& bss() { return *skeleton_->bss; }  // shared with the programs
  auto& maps() { return skeleton_->maps; }
  auto& progs() { return skeleton_->progs; }

 private:
  SkeletonPointer<Skeleton> skeleton_;
  Links links_;
  std::string command_;
};

// A skeleton that can be configured: read-only data, map sizes, programs to load.
template <class Skeleton>
class OpenSkeleton {
 public:
  // Opens a skeleton with these options. Returns null and sets errno if that fails.
  using Open = Skeleton* (*)(const bpf_object_open_opts* options);

  // `btf`: file with the kernel's types for CO-RE relocations. None: the programs have no
  // relocations.
  explicit OpenSkeleton(std::string_view command, std::optional<std::string> btf = std::nullopt,
                        Open open = Skeleton::open)
      : command_(command) {
    LIBBPF_OPTS(bpf_object_open_opts, options);
    if (btf) {
      btf_.emplace(std::move(*btf));
      options.btf_custom_path = btf_->path();
    }
    skeleton_.reset(open(&options));
    if (!skeleton_) {
      throw BpfError({command_, "open", errno});
    }
  }

  bpf_object* object() { return skeleton_->obj; }
  auto& rodata() { return *skeleton_->rodata; }
  auto& maps() { return skeleton_->maps; }
  auto& progs() { return skeleton_->progs; }

  // Reads the kernel's types, and looks for `wanted`. load() does this if it was not called.
  void read_types(const std::vector<WantedType*>& wanted = {}) {
    if (btf_ && !std::exchange(has_types_, true)) {
      btf_->fill(skeleton_->obj, wanted);
    }
  }

  LoadedSkeleton<Skeleton> load() && {
    raise_memlock_limit();
    if constexpr (requires { skeleton_->rodata->self.namespace_inode; }) {
      skeleton_->rodata->self = describe_self();
    }
    read_types();
    if (int err = Skeleton::load(skeleton_.get()); err != 0) {
      throw BpfError({command_, "load", -err});
    }
    return LoadedSkeleton<Skeleton>(std::move(skeleton_), std::move(command_));
  }

 private:
  std::optional<RelocationBtf> btf_;
  bool has_types_ = false;
  SkeletonPointer<Skeleton> skeleton_;
  std::string command_;
};

}  // namespace bpftrap
