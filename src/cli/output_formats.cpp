// SPDX-License-Identifier: GPL-2.0-only
#include "cli/output_formats.h"

#include <array>

#include "core/output/json_sink.h"

namespace bpftrap {

std::span<const OutputFormat> output_formats() {
  // One line per format.
  static constexpr std::array formats{
      OutputFormat{"-j,--json", "print newline-delimited JSON instead of a table", make<JsonSink>},
  };
  return formats;
}

}  // namespace bpftrap
