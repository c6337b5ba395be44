// SPDX-License-Identifier: GPL-2.0-only
#include "cli/output_formats.h"

#include <array>

#include "core/output/json_sink.h"

namespace bpftrap {

namespace {

template <class Format>
std::unique_ptr<Sink> make(std::string& out, const WallClock& clock) {
  return std::make_unique<Format>(out, clock);
}

}  // namespace

std::span<const OutputFormat> output_formats() {
  // One line per format.
  static constexpr std::array formats{
      OutputFormat{"-j,--json", "print newline-delimited JSON instead of a table", make<JsonSink>},
  };
  return formats;
}

}  // namespace bpftrap
