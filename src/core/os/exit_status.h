// SPDX-License-Identifier: GPL-2.0-only
// The exit statuses of bpftrap, the only place that has these numbers.
#pragma once

namespace bpftrap {

enum ExitStatus {
  ended_as_asked = 0,
  could_not_work = 1,
  wrong_command_line = 2,
  // diff, as diff(1)
  differences_found = 1,
  diff_failed = 2,
  forbidden_program = 99,  // --fail-on found its program
  // With -- PROGRAM, as in timeout(1), env(1) and nohup(1). Every other status is PROGRAM's own.
  bpftrap_failed = 125,
  cannot_execute = 126,
  not_found = 127,
  ended_by_signal = 128,  // plus the signal's number
};

}  // namespace bpftrap
