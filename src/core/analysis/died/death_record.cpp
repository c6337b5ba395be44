// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/death_record.h"

#include <algorithm>
#include <type_traits>

#include "core/record/field_builders.h"

namespace bpftrap {

namespace {

static_assert(std::is_standard_layout_v<DeathRecord>,
              "the address of a DeathRecord must be that of its ExitRecord");

template <std::optional<std::string> DeathRecord::*text>
std::optional<Arguments> strings(const DeathRecord& record) {
  return record.*text ? std::optional(Arguments{*(record.*text)}) : std::nullopt;
}

constexpr auto own_fields() {
  using R = DeathRecord;
  return std::array{
      field<&strings<&R::ancestors>>(
          "ancestors",
          "its real parent and further ancestors up to process 1, each as comm[pid]; the last is … "
          "if its ancestors are unknown"),
      field<&strings<&R::ancestor_ids>>("ancestor_ids", "their ids"),
      field<&strings<&R::killer_args>>(
          "killer_args", "argv of the process that sent the signal that ended it; null if unknown"),
      field<&strings<&R::killer_ancestors>>(
          "killer_ancestors", "the ancestors of that process, as ancestors; null without a sender"),
      field<&strings<&R::killer_ancestor_ids>>("killer_ancestor_ids", "their ids"),
      field<&R::recent>("recent",
                        "number of ends of processes with the same name, parent's name and unit in "
                        "the hour before"),
  };
}

std::vector<Field> death_fields() {
  std::vector<Field> table;
  for (const Field& field : fields<ExitRecord>()) {
    if (!field.key.empty()) {
      table.push_back(field);
    }
  }
  table.front().constant = "death";
  for (const Field& field : own_fields()) {
    table.push_back(field);
  }
  return table;
}

}  // namespace

KeptExit::KeptExit(const ExitRecord& record) : record_(record) {
  Process& process = record_.process;
  process.comm = keep(process.comm);
  process.parent_comm = keep(process.parent_comm);
  process.tty = keep(process.tty);
  process.cgroup = keep(process.cgroup);
  process.unit = keep(process.unit);
  process.container_id = keep(process.container_id);
  process.ancestors = {};
  if (record_.killer) {
    record_.killer->comm = keep(record_.killer->comm);
  }
  if (record_.last_signal) {
    record_.last_signal->sender.comm = keep(record_.last_signal->sender.comm);
  }
  set_program(record.filename, record.exe, record.cwd, record.args);
}

void KeptExit::set_program(std::optional<std::string_view> filename,
                           std::optional<std::string_view> exe, std::optional<std::string_view> cwd,
                           std::optional<Arguments> args) {
  record_.filename = keep(filename);
  record_.exe = keep(exe);
  record_.cwd = keep(cwd);
  record_.args = args;
  if (record_.args) {
    record_.args->bytes = keep(record_.args->bytes);
  }
}

std::string_view KeptExit::keep(std::string_view text) {
  return texts_.emplace_back(text);
}

std::optional<std::string_view> KeptExit::keep(const std::optional<std::string_view>& text) {
  return text ? std::optional(keep(*text)) : std::nullopt;
}

FieldTable fields_of(const DeathRecord*) {
  static const std::vector<Field> table = death_fields();
  return table;
}

}  // namespace bpftrap
