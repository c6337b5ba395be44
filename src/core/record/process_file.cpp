// SPDX-License-Identifier: GPL-2.0-only
#include "core/record/process_file.h"

namespace bpftrap {

std::optional<std::string_view> usable_path(const ProcessFile& file) {
  return file.kind == ProcessFile::Kind::path ? std::optional(file.name) : std::nullopt;
}

std::optional<bool> is_deleted(const ProcessFile& file) {
  return file.kind != ProcessFile::Kind::none ? std::optional(file.deleted) : std::nullopt;
}

std::optional<std::string> link_text(const ProcessFile& file) {
  switch (file.kind) {
    case ProcessFile::Kind::none:
    case ProcessFile::Kind::too_long:
      return std::nullopt;
    case ProcessFile::Kind::path:
    case ProcessFile::Kind::outside:
      return std::string(file.name) + (file.deleted ? " (deleted)" : "");
    case ProcessFile::Kind::pipe:
      return "pipe:[" + std::to_string(file.inode) + "]";
    case ProcessFile::Kind::socket:
      return "socket:[" + std::to_string(file.inode) + "]";
    case ProcessFile::Kind::anonymous:
      return "anon_inode:" + std::string(file.name);
  }
  return std::nullopt;
}

}  // namespace bpftrap
