// SPDX-License-Identifier: GPL-2.0-only
// The batches of a recording, as the units of its file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/output/output.h"

namespace bpftrap {

class BatchUnits final : public OutputUnits {
 public:
  std::size_t keep(std::string_view written) override;
  // Such as `the records up to 14:00:00.123 are kept`.
  std::string kept() const override;

 private:
  std::int64_t last_wall_ns_ = 0;  // of the events in the file; 0: none
};

}  // namespace bpftrap
