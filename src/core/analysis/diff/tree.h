// SPDX-License-Identifier: GPL-2.0-only
// The programs of a run, each below those that led to it, with equal command lines put together.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/analysis/diff/normal.h"
#include "core/analysis/run.h"

namespace bpftrap {

// Programs with one normalised command line below one chain of such command lines.
struct DiffNode {
  Index parent = no_index;
  TextId key = TextId::none;                         // normalised command line
  Index example = no_index;                          // the first exec of them; none of the root
  std::uint64_t count = 0;                           // times that it was executed
  std::map<int, std::uint64_t> statuses = {};        // of processes that ended with it: wait status
  std::uint64_t unknown_ends = 0;                    // of processes whose last program it was
  std::vector<std::chrono::nanoseconds> times = {};  // from fork or exec to end or the next exec
  std::vector<std::chrono::nanoseconds> own_times = {};  // without the time it waited for a CPU
  std::vector<Index> children = {};
};

class DiffTree {
 public:
  // `keys` is shared by the trees that are compared. Both must outlive this object.
  DiffTree(const RecordedRun& run, Texts& keys);

  const RecordedRun& run() const { return run_; }
  const DiffNode& operator[](Index node) const { return nodes_[node]; }
  static constexpr Index root = 0;

  // The command line of the example; none if it is unknown.
  std::optional<Arguments> args(Index node) const;
  // The name of its script or program.
  std::string title(Index node) const;
  std::string_view key(Index node) const { return keys_[nodes_[node].key]; }

 private:
  void add_birth(Index process);
  void add_exec(Index exec);
  Index node_of_older(Index process);
  Index child(Index parent, std::string_view key, Index example);
  std::string key_of(const RunExec& exec) const;
  void add_end(DiffNode& node, const RunProcess& process, BootTime begin);

  const RecordedRun& run_;
  Texts& keys_;
  CommandNormalizer normalizer_;
  std::vector<DiffNode> nodes_;
  std::map<std::pair<Index, TextId>, Index> by_key_;
  std::vector<Index> node_of_process_;   // of the program that it runs
  std::vector<BootTime> begin_of_node_;  // by process: since when
};

}  // namespace bpftrap
