// SPDX-License-Identifier: GPL-2.0-only
#include "core/skeleton.h"

#include "core/checks.h"
#include "core/error.h"
#include "core/libbpf_log.h"

namespace bpftrap {

void throw_bpf_error(const BpfStep& step) {
  std::vector<std::string> log = LibbpfLog::take_warnings();
  Facts facts = gather_facts();
  std::vector<std::string> detail;
  // Without the privileges the reason is known, and libbpf's guesses would only distract.
  if (std::string line = telling_line(log); !line.empty() && facts.holds_bpf_capabilities()) {
    detail.push_back(std::move(line));
  }
  throw Error(detail::concat({"cannot ", step.step, " the BPF programs of ", step.command}),
              step.err, explain_failure(facts, step.err, log), std::move(detail));
}

}  // namespace bpftrap
