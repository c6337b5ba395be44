// SPDX-License-Identifier: GPL-2.0-only
// Bytes of a traced process – comm, file names, arguments, cgroup paths – made harmless for a
// terminal, a shell; and numbers made short for people. Used by the sinks, on the way out. What
// makes them harmless for JSON is JsonLine.
//
// Everything appends to `out`, so that a sink can build a whole row in one buffer that it reuses.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bpftrap {

// Appends `bytes` so that a terminal shows them and obeys none of them. Escaped are: control
// characters (C0, DEL: `\n`, `\t`, `\r`, `\x1b`; C1: `\u009b`), bytes that are not valid UTF-8
// (`\xff`), and code points that hide, or reorder or break the line (bidi controls, zero-width
// characters, line and paragraph separators: `\u202e`). A backslash stays as it is: systemd's
// cgroup names are full of them (`dev-sda\x2d1`), and people copy those.
void append_terminal_safe(std::string& out, std::string_view bytes);

// Where a word stands in a command line: as its first word, `A=b` would be an assignment and
// `if` a keyword.
enum class WordPlace { command, argument };

// Appends `arg` (without NUL) as a word that a POSIX shell takes for exactly these bytes. Where
// append_terminal_safe() would escape something, the word becomes `$'…'` (POSIX.1-2024; bash, zsh,
// ksh, busybox sh, not yet dash), so that the output is as safe on a terminal.
void append_shell_quoted(std::string& out, std::string_view arg,
                         WordPlace place = WordPlace::argument);

// Appends a whole argv, each argument ended by a NUL (the last one's may be missing), quoted and
// joined by spaces; ` …` at the end if `truncated`.
void append_command_line(std::string& out, std::string_view nul_separated_args, bool truncated);

// All digits.
void append_number(std::string& out, std::uint64_t value);

// At most 7 columns: `0s`, `812ns`, `1.24ms`, `35.2ms`, `812ms`, `1.24s`, `12m03s`, `5h07m`,
// `3d04h`, `120d`. Cut off, not rounded: it never says more than was. Negative counts as 0.
void append_human_duration(std::string& out, std::chrono::nanoseconds duration);

// At most 5 columns, powers of 1024, cut off: `812B`, `1.2K`, `35M`, `1.4G`.
void append_human_size(std::string& out, std::uint64_t bytes);

// Columns that valid, printable UTF-8 takes on a terminal. An approximation by blocks of Unicode:
// combining marks 0, East Asian wide characters and emoji 2, everything else (invalid bytes
// too) 1. Terminals differ among themselves in what it leaves out.
std::size_t display_width(std::string_view utf8);

enum class Align { left, right };

// Appends `text` and spaces up to `width` columns; a longer text is kept whole.
void append_padded(std::string& out, std::string_view text, std::size_t width, Align align);

// The same for a text that is there already: what `out` has from `start` on.
void pad(std::string& out, std::size_t start, std::size_t width, Align align);

}  // namespace bpftrap
