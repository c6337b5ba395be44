// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/explain.h"

#include <cerrno>

#include "core/bpf/relocation_btf.h"
#include "core/bpf/skeleton.h"
#include "core/doctor/diagnosis.h"
#include "core/doctor/rejection.h"

namespace bpftrap {

namespace {

Error explain_bpf(const Error& error) {
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

}  // namespace

Error explain(const Error& error) {
  if (dynamic_cast<const BpfError*>(&error) != nullptr ||
      dynamic_cast<const BtfError*>(&error) != nullptr) {
    return explain_bpf(error);
  }
  if (error.code().value() == EMFILE) {
    return Error(error.step(), EMFILE, explain_open_files(gather_facts()), error.log());
  }
  return error;
}

}  // namespace bpftrap
