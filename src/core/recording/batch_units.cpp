// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/batch_units.h"

#include <algorithm>
#include <cstring>

#include "core/os/clock.h"
#include "core/recording/format.h"

namespace bpftrap {

std::size_t BatchUnits::keep(std::string_view written) {
  std::size_t whole = 0;
  RecordingBatch header;
  while (written.size() - whole >= sizeof header) {
    std::memcpy(&header, written.data() + whole, sizeof header);
    std::size_t size = std::size_t{header.header_size} + header.stored_size;
    if (size > written.size() - whole) {
      break;
    }
    whole += size;
    last_wall_ns_ = std::max(last_wall_ns_, header.last_wall_ns);
  }
  return whole;
}

std::string BatchUnits::kept() const {
  if (last_wall_ns_ == 0) {
    return "the file holds no records";
  }
  std::string text = "the records up to ";
  TimestampFormatter(TimestampFormatter::Zone::local, false)
      .append_time_of_day(text, {last_wall_ns_});
  return text + " are kept";
}

}  // namespace bpftrap
