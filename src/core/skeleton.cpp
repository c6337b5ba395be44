// SPDX-License-Identifier: GPL-2.0-only
#include "core/skeleton.h"

#include <cerrno>
#include <cstring>

#include "core/checks.h"
#include "core/error.h"
#include "core/libbpf_log.h"

namespace bpftrap {

void make_tracing(bpf_program* program, std::string_view command) {
  const char* section = bpf_program__section_name(program);
  const char* hook = std::strchr(section, '/');
  bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
  bpf_program__set_autoattach(program, false);
  bpf_program__set_expected_attach_type(program, BPF_TRACE_RAW_TP);
  if (int err = bpf_program__set_attach_target(program, 0, hook + 1); err != 0) {
    throw_bpf_error({command, "open", -err});
  }
}

Links attach_tracing(bpf_object* object, std::string_view command) {
  Links links;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING && bpf_program__fd(program) >= 0) {
      links.emplace_back(bpf_program__attach_trace(program));
      if (!links.back()) {
        throw_bpf_error({command, "attach", errno});
      }
    }
  }
  return links;
}

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
