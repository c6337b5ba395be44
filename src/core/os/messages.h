// SPDX-License-Identifier: GPL-2.0-only
// Standard error, which never makes bpftrap wait: text that its reader does not accept is kept in
// memory, up to a bound. All functions are for the main thread.
#pragma once

#include <chrono>
#include <string_view>

namespace bpftrap {

// How long bpftrap waits at its end for a reader that is slow.
inline constexpr std::chrono::milliseconds message_patience{2000};

// Opens standard error. Call it before the sandbox, which forbids that.
void open_messages();

// Appends the text and writes as much as possible without blocking. Never fails. Text beyond the
// bound is dropped, and a line reports how much.
void write_message(std::string_view text);
// The same for output that the user asked for, such as the summary.
void write_requested(std::string_view text);

// Writes more of the kept text, without blocking.
void flush_messages();

// True if text is kept.
bool messages_wait();

// Waits until all is written, maximum `patience`.
void drain_messages(std::chrono::milliseconds patience);

// Waits until all of write_requested() is written, or `interrupt_fd` becomes readable.
void drain_requested(int interrupt_fd);

// In the child of a fork: forgets kept text, which the parent writes.
void drop_messages();

}  // namespace bpftrap
