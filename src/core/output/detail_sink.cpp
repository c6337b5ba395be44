// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/detail_sink.h"

#include <algorithm>
#include <variant>

namespace bpftrap {

DetailSink::DetailSink(const SinkSetup& setup)
    : out_(setup.out),
      kinds_(setup.kinds),
      own_users_(""),
      timestamps_(setup.utc ? TimestampFormatter::Zone::utc : TimestampFormatter::Zone::local),
      context_{setup.clock, setup.users != nullptr ? *setup.users : own_users_, timestamps_} {}

void DetailSink::write(const RecordView& record) {
  if (const auto* lost = record.get_if<LostRecord>()) {
    say_lost(*lost);
    return;
  }
  bool known = std::any_of(kinds_.begin(), kinds_.end(),
                           [&](FieldTable kind) { return kind.data() == record.fields().data(); });
  if (!known) {
    return;
  }
  constexpr std::size_t value_column = 24;
  out_ += first_ ? "" : "\n";
  first_ = false;
  for (const Field& field : record.fields()) {
    if (field.key.empty()) {
      continue;
    }
    Value value = field.value(record, context_);
    if (std::holds_alternative<std::monostate>(value)) {
      continue;
    }
    out_ += field.key;
    out_.append(value_column - std::min(field.key.size(), value_column - 1), ' ');
    append_value(out_, value, field.unit);
    out_ += '\n';
  }
}

}  // namespace bpftrap
