// SPDX-License-Identifier: GPL-2.0-only
// Shared by the tests of `-- PROGRAM`: its command line, and notes of the processes that it starts.
#pragma once

#include <string>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/scope_workloads.h"
#include "e2e/workloads.h"

namespace e2e {

using Words = std::vector<std::string>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline Words program(const Words& workload) {
  return Words{"--", self_path(), "--workload"} + workload;
}

inline std::vector<Record> traced(const Bpftrap& bpftrap, const std::string& kind = "") {
  std::vector<Record> found;
  for (const Record& record : bpftrap.records()) {
    if (record.has("id") && (kind.empty() || record.kind() == kind)) {
      found.push_back(record);
    }
  }
  return found;
}

class ProgramTest : public TracingTest {
 protected:
  // Waits until `count` processes have written a note.
  std::vector<Ended> await_notes(std::size_t count) {
    for (int i = 0; i < 60'000; ++i) {
      if (std::vector<Ended> notes = read_notes(notes_); notes.size() >= count) {
        return notes;
      }
      sleep_for(std::chrono::milliseconds(1));
    }
    throw Failure("expected processes do not exist");
  }

  ScratchDir directory_;
  const std::string notes_ = directory_ / "notes";
};

}  // namespace e2e
