// SPDX-License-Identifier: GPL-2.0-only
#include "cli/failed_exec_programs.h"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/bpf/skeleton.h"
#include "core/os/kernel_version.h"
#include "failed_deferred.skel.h"
#include "failed_sleepable.skel.h"

namespace bpftrap {

namespace {

// Most failures mean that the kernel cannot do it. A lack of file descriptors would stop the
// tracer's own programs as well. Called in a handler.
void rethrow_unless_unsupported(const BpfError& error) {
  if (error.code().value() == EMFILE || error.code().value() == ENFILE) {
    throw;
  }
}

}  // namespace

struct FailedExecPrograms::Loaded {
  std::optional<LoadedSkeleton<failed_sleepable_bpf>> sleepable;
  std::optional<LoadedSkeleton<failed_deferred_bpf>> deferred;
};

FailedExecPrograms::FailedExecPrograms(std::string_view command, const std::string& btf)
    : command_(command), btf_(btf), loaded_(std::make_unique<Loaded>()) {
  try {
    OpenSkeleton<failed_sleepable_bpf> open(command_, btf_);
    bpf_program__set_flags(open.progs().fault_in_failed, BPF_F_SLEEPABLE);
    loaded_->sleepable.emplace(std::move(open).load());
  } catch (const BpfError& error) {
    rethrow_unless_unsupported(error);
  }
}

FailedExecPrograms::~FailedExecPrograms() = default;

bool FailedExecPrograms::may_defer() const {
  // The load decides. No kernel before 6.18 has the function, so do not try there.
  return !loaded_->sleepable && kernel_is_at_least(6, 18);
}

void FailedExecPrograms::load(const Maps& maps) {
  if (!may_defer()) {
    return;
  }
  try {
    OpenSkeleton<failed_deferred_bpf> open(command_, btf_);
    const std::array shared{std::pair(open.maps().records, maps.records),
                            std::pair(open.maps().lost, maps.lost),
                            std::pair(open.maps().deferred_execs, maps.deferred_execs)};
    for (auto [own, other] : shared) {
      if (int err = bpf_map__reuse_fd(own, bpf_map__fd(other)); err != 0) {
        throw BpfError({command_, "open", -err});
      }
    }
    loaded_->deferred.emplace(std::move(open).load());
  } catch (const BpfError& error) {
    rethrow_unless_unsupported(error);
  }
}

void FailedExecPrograms::attach() {
  if (loaded_->sleepable) {
    loaded_->sleepable->attach();
  }
  if (loaded_->deferred) {
    loaded_->deferred->attach();
  }
}

}  // namespace bpftrap
