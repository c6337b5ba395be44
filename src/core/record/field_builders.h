// SPDX-License-Identifier: GPL-2.0-only
// Builds tables of fields:
//
//   static constexpr auto table = field_table<R>(
//       event_field<R>("exit"), time_field<R>(), boot_ns_field<R>(),
//       field<&R::pid>("pid", "process id").column("PID", 7, Align::right),
//       field<&R::io, &StorageIo::read_bytes>("io_read_bytes", "bytes read; null if unknown"));
//
// field<> takes data members and functions. Each is applied to the result of the one before it. The
// type of the last result determines the JSON type. A std::optional makes the field nullable.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/record/field.h"

namespace bpftrap {

using Context = const FieldContext&;

namespace field_types {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
struct Plain {
  using Type = T;
};
template <class T>
struct Plain<std::optional<T>> {
  using Type = T;
};
template <class T>
using PlainType = typename Plain<T>::Type;

// The record that a member or function is applied to.
template <class T, class Record>
Record record_of(T Record::*);
template <class T, class Record>
Record record_of(T (*)(const Record&));

// The type that the getters yield when applied in turn, without std::optional.
template <class From, auto first, auto... rest>
struct Path {
  using Result = std::remove_cvref_t<std::invoke_result_t<decltype(first), const From&>>;
  using Next = Path<PlainType<Result>, rest...>;
  using Last = typename Next::Last;
  static constexpr bool nullable = is_optional<Result> || Next::nullable;
};
template <class From, auto first>
struct Path<From, first> {
  using Result = std::remove_cvref_t<std::invoke_result_t<decltype(first), const From&>>;
  using Last = PlainType<Result>;
  static constexpr bool nullable = is_optional<Result>;
};

template <class T, class... Types>
inline constexpr bool is_one_of = (std::is_same_v<T, Types> || ...);
template <class T>
inline constexpr bool is_integer = std::is_integral_v<T> && sizeof(T) <= sizeof(std::uint64_t) &&
                                   !is_one_of<T, bool, char, wchar_t, char8_t, char16_t, char32_t>;
template <class T>
inline constexpr bool is_string =
    is_one_of<T, std::string, std::string_view, WallTime, ProcessId, Hex>;
template <class T>
inline constexpr bool is_supported =
    is_one_of<T, bool, std::chrono::nanoseconds, Arguments> || is_integer<T> || is_string<T>;

template <class T>
constexpr JsonType json_type() {
  static_assert(is_supported<T>,
                "a field's type must be bool, an integer, std::chrono::nanoseconds, std::string, "
                "std::string_view, WallTime, ProcessId, Hex or Arguments, or std::optional of one");
  if constexpr (std::is_same_v<T, bool>) {
    return JsonType::boolean;
  } else if constexpr (std::is_same_v<T, Arguments>) {
    return JsonType::strings;
  } else if constexpr (is_string<T>) {
    return JsonType::string;
  } else {
    return JsonType::integer;
  }
}

// `T` is the deduced type of a forwarding reference: a string that is not stored in the record is
// moved, any other is viewed.
template <class T>
Value to_value(T&& from) {
  using Type = std::remove_cvref_t<T>;
  if constexpr (is_optional<Type>) {
    return from ? to_value(*std::forward<T>(from)) : Value();
  } else if constexpr (std::is_same_v<Type, std::chrono::nanoseconds>) {
    return Value(std::int64_t{from.count()});
  } else if constexpr (is_integer<Type>) {
    using Wide = std::conditional_t<std::is_signed_v<Type>, std::int64_t, std::uint64_t>;
    return Value(Wide{from});
  } else if constexpr (std::is_same_v<T, const std::string&>) {
    return Value(std::string_view(from));
  } else {
    return Value(std::forward<T>(from));
  }
}

template <auto first, auto... rest, class From>
Value read(const From& from) {
  decltype(auto) result = std::invoke(first, from);
  if constexpr (sizeof...(rest) == 0) {
    return to_value(std::forward<decltype(result)>(result));
  } else if constexpr (is_optional<std::remove_cvref_t<decltype(result)>>) {
    return result ? read<rest...>(*result) : Value();
  } else {
    return read<rest...>(result);
  }
}

}  // namespace field_types

// A field of this record kind, with its column, cell and style in the table.
template <class Record>
struct FieldOf : Field {
  // Shows the field as a column of the table.
  constexpr FieldOf column(std::string_view column_header, std::size_t minimum_width = 0,
                           Align column_align = Align::left) const {
    FieldOf changed = *this;
    changed.header = column_header;
    changed.width = std::max(minimum_width, column_header.size());
    changed.align = column_align;
    return changed;
  }

  // Widens the column where rows need not fit 80 columns.
  constexpr FieldOf roomy(std::size_t column_width) const {
    FieldOf changed = *this;
    changed.roomy_width = column_width;
    return changed;
  }

  // Describes what the cell shows, where that is not the value of the key.
  constexpr FieldOf shows(std::string_view text) const {
    FieldOf changed = *this;
    changed.cell_doc = text;
    return changed;
  }

  // Cuts cells at the column's width on a terminal, so that they leave room for others.
  constexpr FieldOf cut_on_terminal() const {
    FieldOf changed = *this;
    changed.cut = true;
    return changed;
  }

  constexpr FieldOf in(Unit cell_unit) const {
    FieldOf changed = *this;
    changed.unit = cell_unit;
    return changed;
  }

  // Prints the cell by a lambda: void(const Record&, Context, std::string& out).
  template <class Print>
  constexpr FieldOf cell(Print) const {
    static_assert(std::is_empty_v<Print>, "pass a lambda without captures");
    FieldOf changed = *this;
    changed.print = [](const RecordView& record, Context context, std::string& out) {
      Print{}(record.as<Record>(), context, out);
    };
    return changed;
  }

  // Picks the style of the cell by a lambda: Style(const Record&).
  template <class Pick>
  constexpr FieldOf styled(Pick) const {
    static_assert(std::is_empty_v<Pick>, "pass a lambda without captures");
    FieldOf changed = *this;
    changed.pick_style = [](const RecordView& record) { return Pick{}(record.as<Record>()); };
    return changed;
  }
};

// A plain field: see the top of this file.
template <auto first, auto... rest>
constexpr auto field(std::string_view key, std::string_view doc) {
  using Record = decltype(field_types::record_of(first));
  using Path = field_types::Path<Record, first, rest...>;
  FieldOf<Record> made;
  made.key = key;
  made.doc = doc;
  made.type = field_types::json_type<typename Path::Last>();
  made.nullable = Path::nullable;
  if constexpr (std::is_same_v<typename Path::Last, std::chrono::nanoseconds>) {
    made.unit = Unit::nanoseconds;
  }
  made.get = [](const RecordView& record, Context) {
    return field_types::read<first, rest...>(record.as<Record>());
  };
  return made;
}

// A column without a JSON key: follow it with column() and cell().
template <class Record>
constexpr FieldOf<Record> table_only(std::string_view doc) {
  FieldOf<Record> made;
  made.doc = doc;
  return made;
}

// The first field of each kind.
template <class Record>
constexpr FieldOf<Record> event_field(std::string_view kind) {
  FieldOf<Record> made;
  made.key = "event";
  made.doc = "kind of the record";
  made.constant = kind;
  return made.column("EVENT").styled([](const Record&) { return Style::event; });
}

// The next two fields need a record with a member `BootTime time`.
template <class Record>
constexpr FieldOf<Record> time_field() {
  FieldOf<Record> made;
  made.key = "ts";
  made.doc = "wall-clock time of the event, RFC 3339, UTC, nanoseconds";
  made.get = [](const RecordView& record, Context context) {
    return Value(context.clock.to_wall(record.as<Record>().time));
  };
  return made.column("TIME", 12)
      .shows("time of day of the event, local (or UTC with --utc), to the millisecond")
      .cell([](const Record& r, Context context, std::string& out) {
        context.timestamps.append_time_of_day(out, context.clock.to_wall(r.time));
      });
}

template <class Record>
constexpr FieldOf<Record> boot_ns_field() {
  FieldOf<Record> made;
  made.key = "boot_ns";
  made.type = JsonType::integer;
  made.doc = "the same instant in nanoseconds of CLOCK_BOOTTIME";
  made.get = [](const RecordView& record, Context) {
    return field_types::to_value(
        std::chrono::nanoseconds(record.as<Record>().time.time_since_epoch()));
  };
  return made;
}

namespace field_types {

template <class Record>
constexpr std::size_t count(const FieldOf<Record>*) {
  return 1;
}
template <class Record, std::size_t size>
constexpr std::size_t count(const std::array<FieldOf<Record>, size>*) {
  return size;
}

template <class Record>
constexpr Field* append(Field* to, const FieldOf<Record>& one) {
  *to = one;
  return to + 1;
}
template <class Record, std::size_t size>
constexpr Field* append(Field* to, const std::array<FieldOf<Record>, size>& group) {
  return std::copy(group.begin(), group.end(), to);
}

}  // namespace field_types

// Builds a table from fields and arrays of fields of this record kind.
template <class Record, class... Parts>
constexpr auto field_table(const Parts&... parts) {
  std::array<Field, (field_types::count<Record>(static_cast<const Parts*>(nullptr)) + ...)> table;
  Field* to = table.data();
  ((to = field_types::append<Record>(to, parts)), ...);
  return table;
}

}  // namespace bpftrap
