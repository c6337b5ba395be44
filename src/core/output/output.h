// SPDX-License-Identifier: GPL-2.0-only
// Where records go: a file, pipe, socket or terminal that may be slow, full or gone. Sinks append
// lines to memory; what the reader does not take yet waits there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/os/unique_fd.h"

namespace bpftrap {

class Output {
 public:
  // Bytes that may wait in memory before bpftrap leaves records in the ring buffer; an eighth of
  // what its cgroups allow where that is less, for a string that grows is there twice.
  static constexpr std::size_t waiting_most = std::size_t{64} << 20;

  // Standard output. Throws Error where it is closed.
  Output();
  // The open file of --output (output_file.h), and its path for messages. Throws Error.
  Output(UniqueFd file, std::string_view path);

  // Lines are appended here; flush() takes them.
  std::string& buffer() { return buffer_; }

  // Writes what can be written without waiting. Throws Error where the output fails (a full disk);
  // a reader that is gone is no error: see reader_gone().
  void flush();
  // Writes all, waiting for the reader; gives up, with false, when `interrupt_fd` gets readable.
  bool drain(int interrupt_fd);
  // Reports what a file system says only at the end (NFS, quotas). Throws Error.
  void close();

  bool reader_gone() const { return reader_gone_; }
  void set_reader_gone() { reader_gone_ = true; }
  bool terminal() const { return terminal_; }
  // Bytes that wait.
  std::size_t waiting() const { return buffer_.size() - written_; }
  bool full() const { return waiting() >= may_wait_; }
  int fd() const { return fd_; }

 private:
  enum class Kind { blocking, polled, socket, nonblocking };

  void prepare();
  // One write of the front of the buffer; the bytes it took, 0 where it would have to wait.
  std::size_t write_some();
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
};

}  // namespace bpftrap
