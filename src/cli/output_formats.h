// SPDX-License-Identifier: GPL-2.0-only
// The output formats that an option selects, instead of a command's text for people.
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
