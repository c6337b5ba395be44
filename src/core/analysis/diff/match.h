// SPDX-License-Identifier: GPL-2.0-only
// Finds which programs of two runs correspond, among those that corresponding programs started.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/analysis/diff/tree.h"

namespace bpftrap {

// The words of command lines that only one of two has. The words of an argument count one by one,
// as those of `sh -c 'gcc -O2 a.c'`.
struct Substitution {
  std::set<std::string, std::less<>> removed = {};
  std::set<std::string, std::less<>> added = {};

  bool empty() const { return removed.empty() && added.empty(); }
  std::size_t size() const { return removed.size() + added.size(); }
  bool contains(const Substitution& other) const;
  void add(const Substitution& other);
};

Substitution substitution(std::string_view key_a, std::string_view key_b);

struct ChildMatch {
  std::vector<std::pair<Index, Index>> same = {};     // equal but for chance
  std::vector<std::pair<Index, Index>> changed = {};  // probably the same program, changed
  std::vector<Index> only_a = {};
  std::vector<Index> only_b = {};
};

// `ignores`: see DiffOptions; may be empty.
ChildMatch match_children(const DiffTree& a, Index node_a, const DiffTree& b, Index node_b,
                          const std::function<bool(std::string_view)>& ignores);

}  // namespace bpftrap
