// SPDX-License-Identifier: GPL-2.0-only
// The data of the page: a line of JSON with columns of numbers, then the bytes of all texts. Texts
// stay bytes, because a command line need not be UTF-8, and because the page decodes few of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/analysis/run.h"
#include "core/output/json_line.h"
#include "core/timeline/timeline.h"

namespace bpftrap {

class TimelineData {
 public:
  explicit TimelineData(const RecordedRun& run);

  // Processes in the data.
  std::size_t size() const { return processes_.size(); }

  void write(const std::vector<TimelineSegment>& chain,
             const std::function<void(std::string_view)>& use);

 private:
  struct ProcessColumn;
  struct ExecColumn;
  static const ProcessColumn process_columns[];
  static const ExecColumn exec_columns[];

  void choose_processes();
  void choose_execs();

  // Numbers in the data, -1 for none.
  std::int64_t number_of(Index process) const;
  std::int64_t number_of(TextId text);
  std::int64_t number_of_part(std::string_view text);
  // Numbers of the systemd unit and the container in a cgroup's path.
  std::pair<std::int64_t, std::int64_t> parts_of_cgroup(TextId cgroup);

  std::int64_t since_begin(BootTime time) const { return (time - run_.start).count(); }

  void add_head();
  void add_key(std::string_view key);
  // Adds an array; `get` returns its elements by their place.
  void add_array(std::string_view key, std::size_t size,
                 const std::function<std::optional<std::int64_t>(std::size_t)>& get);
  void add_processes();
  void add_execs();
  void add_identities();
  void add_senders();
  void add_losses();
  void add_chain(const std::vector<TimelineSegment>& chain);
  void add_names();
  void add_exact_starts();
  void flush();

  const RecordedRun& run_;
  const std::function<void(std::string_view)>* use_ = nullptr;
  JsonLine line_;
  bool first_key_ = true;
  std::vector<Index> processes_;
  std::vector<std::uint32_t> numbers_;  // of processes, no_index for those left out
  std::vector<std::size_t> execs_;
  std::vector<std::uint32_t> counts_;  // of execs, by process
  std::vector<std::string_view> texts_;
  std::vector<std::int32_t> text_numbers_;  // by TextId, plus one
  std::unordered_map<std::string_view, std::int64_t> parts_;
  std::unordered_map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> cgroups_;
  std::set<int> signals_;
  std::set<int> errors_;
};

}  // namespace bpftrap
