// SPDX-License-Identifier: GPL-2.0-only
// Escapes bytes of a traced process (comm, file names, arguments, cgroup paths) for a terminal or a
// shell, and shortens numbers. Sinks call this when they write. JsonLine escapes for JSON.
//
// Every function appends to `out`, because a sink builds each row in one buffer that it reuses.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bpftrap {

// Appends `bytes` so that a terminal prints them and obeys none of them. It escapes control
// characters (C0, DEL: `\n`, `\t`, `\r`, `\x1b`; C1: `\u009b`) and invalid UTF-8 (`\xff`). It also
// escapes code points that hide, reorder or break a line, or look like a space: bidi controls,
// zero-width and ignorable characters, fillers, line and paragraph separators (`\u202e`). A
// backslash stays as it is, because systemd's cgroup names contain many (`dev-sda\x2d1`) and people
// copy them.
void append_terminal_safe(std::string& out, std::string_view bytes);
std::string terminal_safe(std::string_view bytes);

// Position of a word in a command line. As the first word, `A=b` would be an assignment and `if` a
// keyword, so both are quoted there.
enum class WordPlace { command, argument };

// Appends `arg` (without NUL) as a word that a POSIX shell reads as exactly these bytes. If
// append_terminal_safe() would escape something, the word becomes `$'…'` and is safe on a terminal
// too. POSIX.1-2024, bash, zsh, ksh and busybox sh know `$'…'`; dash does not yet.
void append_shell_quoted(std::string& out, std::string_view arg,
                         WordPlace place = WordPlace::argument);

// The same in the words of POSIX.1-2017: what would need escapes is `"$(printf …)"`, except line
// feeds, which stay.
void append_posix_quoted(std::string& out, std::string_view arg);

// Appends a whole argv, quoted and joined by spaces. Each argument ends with a NUL, which the last
// one may lack. If `truncated`, ` …` follows.
void append_command_line(std::string& out, std::string_view nul_separated_args, bool truncated);

// `1 process`, `2 processes`.
std::string counted(std::uint64_t count, std::string_view one, std::string_view several);

// Appends all digits.
void append_number(std::string& out, std::uint64_t value);

// Appends a maximum of 7 columns: `0s`, `812ns`, `1.24ms`, `35.2ms`, `812ms`, `1.24s`, `12m03s`,
// `5h07m`, `3d04h`, `120d`. The value is cut off, never rounded up. A negative one counts as 0.
void append_human_duration(std::string& out, std::chrono::nanoseconds duration);
std::string human_duration(std::chrono::nanoseconds duration);

// Appends a maximum of 5 columns, in powers of 1024, cut off: `812B`, `1.2K`, `35M`, `1.4G`.
void append_human_size(std::string& out, std::uint64_t bytes);
std::string human_size(std::uint64_t bytes);

// Returns the columns that printable UTF-8 takes on a terminal. This is an approximation by Unicode
// blocks: combining marks 0, East Asian wide characters and emoji 2, all others 1. An invalid byte
// counts as 1. Terminals disagree about the remaining code points.
std::size_t display_width(std::string_view utf8);

enum class Align { left, right };

// Appends `text`, padded with spaces to `width` columns. A longer text is kept whole.
void append_padded(std::string& out, std::string_view text, std::size_t width, Align align);

// Pads the text that `out` already has from byte `start` on, as append_padded() does.
void pad(std::string& out, std::size_t start, std::size_t width, Align align);

}  // namespace bpftrap
