// SPDX-License-Identifier: GPL-2.0-only
// The output formats that an option selects, instead of a command's text for people.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/output/sink.h"

namespace bpftrap {

struct OutputFormat {
  const char* option;
  const char* description;
  // Makes the sink. It appends to `out`; both references must outlive it.
  std::unique_ptr<Sink> (*make)(std::string& out, const WallClock& clock);
};

std::span<const OutputFormat> output_formats();

}  // namespace bpftrap
