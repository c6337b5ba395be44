// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/explain.h"

#include "core/doctor/diagnosis.h"
#include "core/doctor/rejection.h"

namespace bpftrap {

Error explain(const BpfError& error) {
  Facts facts = gather_facts();
  int err = error.code().value();
  std::vector<std::string> detail;
  // Without the privileges the reason is known, and libbpf's guesses would only distract.
  if (facts.holds_bpf_capabilities()) {
    if (std::optional<Rejection> rejection = find_rejection(error.log())) {
      detail = rejection_lines(*rejection);
    } else if (std::string line = telling_line(error.log()); !line.empty()) {
      detail.push_back(std::move(line));
    }
  }
  return Error(error.step(), err, explain_failure(facts, err, error.log()), std::move(detail));
}

}  // namespace bpftrap
