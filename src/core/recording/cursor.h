// SPDX-License-Identifier: GPL-2.0-only
// The position of `show --cursor-file` in a recording, and its file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/recording/batch_stream.h"

namespace bpftrap {

// Behind a record. The batch is named by its run and sequence, because a file is used again.
struct Cursor {
  std::uint64_t run = 0;
  std::uint64_t sequence = 0;
  BatchPosition batch = {};
  std::uint64_t records = 0;  // of the batch that are read
  // Events of the directory up to here; none if unknown.
  std::optional<std::uint64_t> events = {};

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

std::string encode(const Cursor& cursor);
// Nullopt if the text is no cursor.
std::optional<Cursor> parse_cursor(std::string_view text);

// True if the batch of the cursor is still where it was.
bool is_valid(const Cursor& cursor, const BatchStream& recording);

// Returns the cursor if it is valid. If a crash of the machine took its batch, returns the end of
// the last one before it. Nullopt if records behind the cursor were dropped.
std::optional<Cursor> last_read(const Cursor& cursor, const BatchStream& recording);

// Returns how many events follow a valid cursor.
std::uint64_t events_behind(const Cursor& cursor, const BatchStream& recording);

class CursorFile {
 public:
  // Throws Error if the file cannot be read or has something else, or if its directory cannot be
  // written.
  explicit CursorFile(const std::string& path);

  // None if there is no file, or if it is empty.
  const std::optional<Cursor>& stored() const { return stored_; }
  // Replaces the file as a whole. Does nothing if it has this cursor. Throws Error.
  void store(const Cursor& cursor);

 private:
  std::string path_;
  std::optional<Cursor> stored_;
};

}  // namespace bpftrap
