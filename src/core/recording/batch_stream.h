// SPDX-License-Identifier: GPL-2.0-only
// The batches of a recording in order: those of a file, or of all files of a directory. The
// recorder may write meanwhile, and use the file again that is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/unique_fd.h"
#include "core/recording/reader.h"
#include "core/recording/segment_files.h"

namespace bpftrap {

class BatchStream {
 public:
  // `file`: of a recording, or its directory. Throws Error.
  BatchStream(UniqueFd file, bool is_directory);
  // Likewise, of a descriptor that stays the caller's.
  static BatchStream of(int file);

  // The same recording from its beginning, without what this object has read.
  BatchStream again() const;

  bool is_directory() const { return is_directory_; }
  int fd() const { return place_.get(); }
  // The files of a directory that had batches when it was last listed, the oldest first.
  const std::vector<SegmentFile>& files() const { return files_; }

  // Goes to the next batch. Nullopt at the end of what is complete; a later call continues if the
  // recording has grown. Throws Error.
  std::optional<BatchPlace> next();
  // Returns the records of the batch that next() has returned last. Nullopt if they are damaged, or
  // dropped meanwhile.
  std::optional<std::span<const std::byte>> read(const BatchPlace& place);
  // The next call of next() looks here, or at the oldest batch behind it.
  void seek(BatchPosition position);

  // Name of the file of a directory that is read.
  const std::string& name() const { return name_; }
  // If false, next() does not look for later files at the end of this one, which takes long.
  void expect_files(bool expect) { expects_files_ = expect; }

  // Damaged places so far, and the first one, such as `byte 88` or `byte 88 of 003.bpftrap`.
  std::uint64_t damaged() const { return damaged_ + (reader_ ? reader_->damaged() : 0); }
  std::string first_damage() const;
  // Incomplete bytes at the end.
  std::uint64_t torn_bytes() { return reader_ ? reader_->torn_bytes() : 0; }

  // Bytes that are read, and all of them.
  std::uint64_t done() const;
  std::uint64_t size() const;

 private:
  void list();
  // Opens the first file whose number is not smaller. Returns false if there is none.
  bool open_from(std::uint32_t number);
  // True if the file has another number by now.
  bool is_reused() const;
  // True if the open file has no name any more.
  bool is_removed() const;
  bool has_later_file() const;
  void close_file();

  UniqueFd place_;  // the file, or the directory
  bool is_directory_;
  std::vector<SegmentFile> files_;
  UniqueFd file_;  // of a directory: the open one
  std::string name_;
  std::uint32_t number_ = 0;  // of the open file, or of the next one
  std::uint64_t before_ = 0;  // bytes of the files before it
  std::optional<RecordingReader> reader_;
  std::uint64_t damaged_ = 0;
  std::string first_damage_;
  bool expects_files_ = true;
};

}  // namespace bpftrap
