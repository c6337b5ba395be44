// SPDX-License-Identifier: GPL-2.0-only
// The destination of records: a file, pipe, socket or terminal that may be slow, full or gone.
// Sinks append lines to a buffer in memory, which keeps what the reader has not accepted yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/os/standard_streams.h"
#include "core/os/unique_fd.h"
#include "core/output/file_writer.h"
#include "core/output/patience.h"

namespace bpftrap {

// Parts of a file that are only useful as a whole. Without it, they are lines.
class OutputUnits {
 public:
  virtual ~OutputUnits() = default;

  // The bytes are in the file behind those of the last call, less what was truncated. They begin
  // with a whole unit. Returns the size of the whole units among them: the rest is truncated, if
  // the file cannot take more.
  virtual std::size_t keep(std::string_view written) = 0;
  // Returns what the file holds after an error, as a part of a sentence.
  virtual std::string kept() const = 0;
};

// A destination that takes all bytes at once, and never fails.
class ByteStore {
 public:
  virtual ~ByteStore() = default;

  // Takes the bytes, and leaves the text empty.
  virtual void take(std::string& bytes) = 0;
  // Called once, after the last bytes.
  virtual void finish() = 0;
  virtual int fd() const = 0;
};

class Output {
 public:
  // Maximum bytes buffered before bpftrap leaves records in the ring buffer. The actual limit is at
  // most an eighth of the cgroup's memory limit, because a growing string exists twice.
  static constexpr std::size_t waiting_most = std::size_t{64} << 20;

  // Bytes for which a thread is woken, because that takes longer than to keep them.
  static constexpr std::size_t gathered_bytes = std::size_t{256} << 10;

  // Opens standard output. Throws Error if it is closed.
  Output();
  // Takes the open file of an option (output_file.h), which messages name. Throws Error.
  Output(UniqueFd file, std::string_view path, std::string_view option = "--output");
  void set_units(std::unique_ptr<OutputUnits> units) { units_ = std::move(units); }
  // Writes to the store, which must outlive this object.
  explicit Output(ByteStore& store) : fd_(store.fd()), store_(&store) {}

  // From now on a thread writes, if the output is a regular file. The thread calls `confine` first.
  // Throws Error.
  void write_in_background(std::function<void()> confine);

  // Append lines here; flush() writes them.
  std::string& buffer() { return buffer_; }

  // Writes as much as possible without blocking. Throws Error if the output fails, for example on a
  // full disk. A closed reader is no error: see reader_gone().
  void flush();
  // True if flush() had better wait for more, because it wakes a thread. Lines wait only if there
  // are more to come at once.
  bool gathers(bool more) const {
    return writer_ && unsent() < gathered_bytes && (more || units_ != nullptr);
  }
  // Writes everything and waits for the reader. Returns false if the patience ends first. Throws
  // Error like flush().
  bool drain(Patience& patience);
  // Does not write the rest.
  void abandon();
  // Closes the output, because NFS and quotas report some errors only then. Throws Error.
  void close();

  bool reader_gone() const { return reader_gone_; }
  void set_reader_gone() { reader_gone_ = true; }
  bool terminal() const { return terminal_; }
  // Returns the current width of the terminal, 0 if it does not tell.
  std::size_t terminal_columns() const { return bpftrap::terminal_columns(fd_, 0); }
  // Bytes that are not written yet.
  std::size_t waiting() const { return unsent() + (writer_ ? writer_->waiting() : 0); }
  bool full() const { return waiting() >= may_wait_; }
  // True if only short lines should be added, so that those of one process leave room for others.
  bool crowded() const { return waiting() >= may_wait_ / 2; }
  // Lines that are not written, or not completely.
  std::size_t waiting_lines() const;
  int fd() const { return fd_; }
  // A descriptor for poll(). If wants_flush(), flush() can do more when it is writable.
  int poll_fd() const { return writer_ ? writer_->fd() : fd_; }
  bool wants_flush();

 private:
  enum class Kind { blocking, file, polled, socket, nonblocking };

  void prepare();
  std::size_t unsent() const { return buffer_.size() - written_; }
  void flush_in_background();
  // Writes the front of the buffer once. Returns the bytes written, or 0 if it would block.
  std::size_t write_some();
  std::size_t keep_whole(std::size_t size);
  void truncate_partial();
  [[noreturn]] void fail(int err);

  UniqueFd owned_;
  int fd_;
  std::string name_;
  Kind kind_ = Kind::blocking;
  bool terminal_ = false;
  bool reader_gone_ = false;
  std::string buffer_;
  std::size_t written_ = 0;
  std::size_t may_wait_ = waiting_most;
  std::unique_ptr<OutputUnits> units_;
  ByteStore* store_ = nullptr;
  std::unique_ptr<FileWriter> writer_;
};

}  // namespace bpftrap
