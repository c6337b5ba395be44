// SPDX-License-Identifier: GPL-2.0-only
// Output formats that replace a command's readable text. An option selects each.
#pragma once

#include <span>
#include <string_view>

#include "core/output/sink.h"

namespace bpftrap {

struct OutputFormat {
  const char* option;
  const char* description;
  MakeSink make;
};

std::span<const OutputFormat> output_formats();

}  // namespace bpftrap
