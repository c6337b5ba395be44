// SPDX-License-Identifier: GPL-2.0-only
// The text of `why died`: one screen about one end.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/analysis/died/explain.h"
#include "core/os/clock.h"

namespace bpftrap {

// The limit of memory that a process had, read later.
struct MemoryLimit {
  std::string cgroup;  // the nearest one with a limit
  std::uint64_t bytes = 0;
  std::string file;  // where the limit is
};

// Facts about this machine, if the recording is of it and of this boot.
struct DeathSurroundings {
  std::optional<MemoryLimit> limit = {};
  bool has_limits = false;               // the machine was asked
  std::optional<std::string> core = {};  // where core dumps go: /proc/sys/kernel/core_pattern
};

struct DeathLook {
  bool color = false;
  std::size_t columns = 0;  // of a terminal, where rows are cut; 0: rows are whole
  bool utc = false;
};

struct DeathAfterwards {
  std::vector<LivingMatch> living = {};  // at the end of the recording
};

std::string death_report(const Death& death, const DeathSurroundings& around,
                         const DeathAfterwards& afterwards, const WallClock& clock,
                         const DeathLook& look);

}  // namespace bpftrap
