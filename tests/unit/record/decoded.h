// SPDX-License-Identifier: GPL-2.0-only
// Decodes bytes of a record whose kind a test knows.
#pragma once

#include <gtest/gtest.h>

#include "core/record/decode.h"
#include "unit/wire.h"

namespace bpftrap {

template <class Record>
Record decoded(const Bytes& bytes) {
  Decoded result = decode(bytes);
  auto* record = std::get_if<Record>(&result);
  EXPECT_NE(record, nullptr) << "variant " << result.index();
  return record != nullptr ? *record : Record{};
}

// A temporary is refused, because the views would point into freed bytes.
template <class Record>
Record decoded(Bytes&& bytes) = delete;

inline bool malformed(const Bytes& bytes) {
  return std::holds_alternative<Malformed>(decode(bytes));
}

}  // namespace bpftrap
