// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_columns.h"

#include <algorithm>

namespace bpftrap {

namespace {

// Calls `visit` with each field of the kinds that `name` gives a name, once per name.
template <class Name, class Visit>
void each_named(const std::vector<FieldTable>& kinds, Name name, Visit visit) {
  std::vector<std::string_view> seen;
  for (FieldTable fields : kinds) {
    for (const Field& field : fields) {
      std::string_view text = name(field);
      if (!text.empty() && std::find(seen.begin(), seen.end(), text) == seen.end()) {
        seen.push_back(text);
        visit(field);
      }
    }
  }
}

std::string_view header_of(const Field& field) {
  return field.header;
}

std::string_view key_of(const Field& field) {
  return field.key;
}

bool is_number(const Field& field) {
  return field.type == JsonType::integer && field.constant.empty();
}

}  // namespace

void ColumnField::append_cell(const RecordView& record, const FieldContext& context,
                              std::string& out) const {
  if (field == nullptr) {
    out += '-';
  } else if (raw) {
    append_value(out, field->value(record, context), Unit::none);
  } else {
    field->append_cell(record, context, out);
  }
}

ColumnField find_column(FieldTable fields, std::string_view name) {
  auto named = [&](auto name_of) {
    return std::find_if(fields.begin(), fields.end(),
                        [&](const Field& field) { return name_of(field) == name; });
  };
  if (auto found = named(header_of); found != fields.end()) {
    return {&*found, false};
  }
  auto found = named(key_of);
  return found != fields.end() ? ColumnField{&*found, true} : ColumnField{};
}

Column shape_column(std::string_view name, const std::vector<FieldTable>& kinds, bool roomy) {
  for (FieldTable fields : kinds) {
    ColumnField found = find_column(fields, name);
    if (found.field == nullptr) {
      continue;
    }
    if (!found.raw) {
      std::size_t width = found.field->width;
      return {name, roomy ? std::max(width, found.field->roomy_width) : width, found.field->align,
              found.field->cut};
    }
    return {name, name.size(), is_number(*found.field) ? Align::right : Align::left};
  }
  return {};
}

std::vector<std::string> column_names(const std::vector<FieldTable>& kinds) {
  std::vector<std::string> names;
  each_named(kinds, header_of, [&](const Field& field) { names.emplace_back(field.header); });
  each_named(kinds, key_of, [&](const Field& field) { names.emplace_back(field.key); });
  return names;
}

std::string describe_columns(const std::vector<FieldTable>& kinds) {
  MeasuredTable table({{}, {}});
  each_named(kinds, header_of, [&](const Field& field) {
    table.cell(std::string(field.header));
    table.cell(std::string(field.cell_doc.empty() ? field.doc : field.cell_doc));
  });
  each_named(kinds, key_of, [&](const Field& field) {
    table.cell(std::string(field.key));
    table.cell(std::string(field.doc));
  });
  std::string text;
  table.write(text, {.gap = 2});
  return text;
}

}  // namespace bpftrap
