// SPDX-License-Identifier: GPL-2.0-only
// Sentences about an end. All are safe for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "core/analysis/died/explain.h"

namespace bpftrap {

// `worker[4711]`
std::string process_label(std::string_view name, Pid pid);
std::string label(const Relative& process);
std::string label(const Process& process);

// The one that decided to send the signal.
const Relative& responsible(const SignalOrigin& origin);

// `watchdog.sh[4790] sent SIGKILL through kill[4800]`
std::string sending(const SignalOrigin& origin);

// True if it ended by itself soon after a signal that asked it to end.
bool ended_after_signal(const ExitRecord& exit);

// The end in one sentence.
std::string headline(const Death& death);

// The meaning of the status; empty if it has none.
std::string status_meaning(const Death& death);

// The doubt that lost records around the end cast on the answer.
std::string lost_text(std::uint64_t lost);

// How often it happened.
std::string history_text(const History& history);

}  // namespace bpftrap
