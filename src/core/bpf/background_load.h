// SPDX-License-Identifier: GPL-2.0-only
// Loads the programs of some raw tracepoints in threads, while libbpf loads the other programs of
// the object one after the other. The verifier takes most of bpftrap's start.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/bpf/program_handler.h"

namespace bpftrap {

class BackgroundLoad final : public ProgramHandler {
 public:
  // Throws Error.
  explicit BackgroundLoad(const std::vector<std::string>& hooks);
  ~BackgroundLoad() override;

  // The next load uses threads. libbpf loads an empty program in place of each of theirs.
  void begin();
  // Waits for the threads, and puts their programs in place of the empty ones. Returns false if the
  // kernel refused one. Load again without begin() then, so that libbpf reports the reason.
  bool finish();

 private:
  struct Job;

  void prepare(bpf_program* program, bpf_prog_load_opts& options) override;

  bool active_ = false;
  std::vector<std::unique_ptr<Job>> jobs_;
};

}  // namespace bpftrap
