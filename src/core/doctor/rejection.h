// SPDX-License-Identifier: GPL-2.0-only
// Why the kernel's verifier rejected a program, from the log that libbpf passes on.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bpftrap {

// Each part is empty if the log does not have it.
struct Rejection {
  std::string program;  // name of its function
  std::string source;   // `NAME.bpf.c:12: text of the line`; kernels before 6.9 print only the text
  std::string instruction;  // the last one that the verifier looked at
  std::string reason;
};

// None if the verifier rejected no program.
std::optional<Rejection> find_rejection(std::span<const std::string> log);

// The lines to print under the error: source, instruction, reason.
std::vector<std::string> rejection_lines(const Rejection& rejection);

}  // namespace bpftrap
