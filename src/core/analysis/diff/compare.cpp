// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/diff/compare.h"

#include <sys/wait.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "core/analysis/diff/match.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;
using Kind = DiffRecord::Kind;

nanoseconds median(std::vector<nanoseconds> times) {
  auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

nanoseconds spread(const std::vector<nanoseconds>& times) {
  auto [least, most] = std::minmax_element(times.begin(), times.end());
  return times.empty() ? nanoseconds::zero() : *most - *least;
}

nanoseconds total(const std::vector<nanoseconds>& times) {
  nanoseconds sum{};
  for (nanoseconds time : times) {
    sum += time;
  }
  return sum;
}

// The status that this one has more often than the other, else the most frequent one.
std::optional<std::string> telling_status(const DiffNode& node, const DiffNode* other) {
  const int* best = nullptr;
  std::int64_t best_excess = INT64_MIN;
  for (const auto& [status, count] : node.statuses) {
    auto excess = static_cast<std::int64_t>(count);
    if (other != nullptr) {
      auto found = other->statuses.find(status);
      excess -= found == other->statuses.end() ? 0 : static_cast<std::int64_t>(found->second);
    }
    if (excess > best_excess) {
      best = &status;
      best_excess = excess;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(status_text(*best));
}

std::optional<nanoseconds> median_time(const DiffNode& node) {
  return node.times.empty() ? std::nullopt : std::optional(median(node.times));
}

bool has_failed(const DiffNode& node) {
  return std::any_of(node.statuses.begin(), node.statuses.end(),
                     [](const auto& status) { return status.first != 0; });
}

// Programs of both runs that correspond.
struct Pair {
  Index a = DiffTree::root;
  Index b = DiffTree::root;
  std::size_t parent = 0;  // the pair of those that started them; the root's own
  bool changed = false;    // the command lines differ
  // That of this one and of those above, which pairs share.
  std::shared_ptr<const Substitution> change = std::make_shared<Substitution>();
  bool cause_of_status = false;  // a program below explains another status
  // Time that the programs below took more in B, per run of this one.
  nanoseconds below{};
};

class Comparison {
 public:
  Comparison(const DiffTree& a, const DiffTree& b, const DiffOptions& options)
      : a_(a), b_(b), options_(options) {}

  std::vector<DiffRecord> run();

 private:
  void compare_children(std::size_t index);
  void add_pair(std::size_t parent, Index a, Index b, bool changed);
  void add_only(std::size_t parent, const DiffTree& tree, Index node, Kind kind);
  void add_changed(const Pair& pair, const Substitution& own);
  void judge_count(const Pair& pair);
  void judge_status(Pair& pair);
  void judge_time(Pair& pair);
  DiffRecord record_of(const Pair& pair, Kind kind) const;
  std::string started_by(const DiffTree& tree, Index node) const;
  // Adds a record for one run, or counts it with those that changed alike.
  void add_grouped(DiffRecord record, const Substitution& change);

  const DiffTree& a_;
  const DiffTree& b_;
  const DiffOptions& options_;
  std::vector<Pair> pairs_;
  std::vector<DiffRecord> records_;
  using Group = std::tuple<Kind, std::string, std::set<std::string, std::less<>>,
                           std::set<std::string, std::less<>>>;
  std::map<Group, std::size_t> groups_;  // places in records_
};

std::string Comparison::started_by(const DiffTree& tree, Index node) const {
  constexpr std::size_t levels = 3;
  std::string text;
  Index at = tree[node].parent;
  for (std::size_t i = 0; i < levels && at != no_index && at != DiffTree::root; ++i) {
    text += text.empty() ? "" : " < ";
    text += tree.title(at);
    at = tree[at].parent;
  }
  return text;
}

DiffRecord Comparison::record_of(const Pair& pair, Kind kind) const {
  const DiffNode& a = a_[pair.a];
  const DiffNode& b = b_[pair.b];
  return {.kind = kind,
          .args = b_.args(pair.b),
          .a_count = a.count,
          .b_count = b.count,
          .a_status = telling_status(a, &b),
          .b_status = telling_status(b, &a),
          .a_time = median_time(a),
          .b_time = median_time(b),
          .title = b_.title(pair.b),
          .started_by = started_by(b_, pair.b)};
}

void Comparison::add_grouped(DiffRecord record, const Substitution& change) {
  auto [group, is_new] = groups_.try_emplace(
      Group{record.kind, record.title, change.removed, change.added}, records_.size());
  if (is_new) {
    records_.push_back(std::move(record));
    return;
  }
  DiffRecord& known = records_[group->second];
  known.a_count += record.a_count;
  known.b_count += record.b_count;
  known.alike += 1;
}

void Comparison::add_only(std::size_t parent, const DiffTree& tree, Index node, Kind kind) {
  bool is_a = kind == Kind::only_a;
  const DiffNode& known = tree[node];
  nanoseconds time = total(known.times);
  auto runs = static_cast<nanoseconds::rep>(
      std::max<std::uint64_t>((is_a ? a_[pairs_[parent].a] : b_[pairs_[parent].b]).count, 1));
  pairs_[parent].below += (is_a ? -time : time) / runs;
  pairs_[parent].cause_of_status = pairs_[parent].cause_of_status || has_failed(known);
  // Below a changed command line, the words that changed there say nothing new.
  Substitution own = is_a ? substitution(tree.key(node), "") : substitution("", tree.key(node));
  const Substitution& above = *pairs_[parent].change;
  if (!above.empty() && above.contains(own)) {
    return;
  }
  std::uint64_t count = known.count;
  if (count == 0) {
    return;  // a process that recording found
  }
  DiffRecord record{.kind = kind, .args = tree.args(node)};
  (is_a ? record.a_count : record.b_count) = count;
  (is_a ? record.a_status : record.b_status) = telling_status(known, nullptr);
  (is_a ? record.a_time : record.b_time) = median_time(known);
  record.title = tree.title(node);
  record.started_by = started_by(tree, node);
  records_.push_back(std::move(record));
}

void Comparison::add_changed(const Pair& pair, const Substitution& own) {
  DiffRecord a = record_of(pair, Kind::only_a);
  DiffRecord b = record_of(pair, Kind::only_b);
  a.args = a_.args(pair.a);
  a.title = a_.title(pair.a);
  a.started_by = started_by(a_, pair.a);
  a.b_count = b.a_count = 0;
  a.b_status.reset();
  a.b_time.reset();
  b.a_status.reset();
  b.a_time.reset();
  add_grouped(std::move(a), own);
  add_grouped(std::move(b), own);
}

void Comparison::add_pair(std::size_t parent, Index a, Index b, bool changed) {
  Pair pair{a, b, parent, changed, pairs_[parent].change};
  if (changed) {
    Substitution own = substitution(a_.key(a), b_.key(b));
    if (pair.change->empty() || !pair.change->contains(own)) {
      add_changed(pair, own);
      // A hostile chain of programs changes others at each level.
      constexpr std::size_t words_most = 1000;
      if (pair.change->size() < words_most) {
        auto both = std::make_shared<Substitution>(*pair.change);
        both->add(own);
        pair.change = std::move(both);
      }
    }
  }
  pairs_.push_back(std::move(pair));
}

void Comparison::compare_children(std::size_t index) {
  ChildMatch match = match_children(a_, pairs_[index].a, b_, pairs_[index].b, options_.ignores);
  for (auto [a, b] : match.same) {
    add_pair(index, a, b, false);
  }
  for (auto [a, b] : match.changed) {
    add_pair(index, a, b, true);
  }
  for (Index a : match.only_a) {
    add_only(index, a_, a, Kind::only_a);
  }
  for (Index b : match.only_b) {
    add_only(index, b_, b, Kind::only_b);
  }
}

// A program that runs as often per run of the one that started it differs with that one only.
void Comparison::judge_count(const Pair& pair) {
  std::uint64_t a = a_[pair.a].count;
  std::uint64_t b = b_[pair.b].count;
  std::uint64_t parent_a = a_[pairs_[pair.parent].a].count;
  std::uint64_t parent_b = b_[pairs_[pair.parent].b].count;
  if (a != b && (parent_a == parent_b || a * parent_b != b * parent_a)) {
    records_.push_back(record_of(pair, Kind::count));
  }
}

// True if `a` has a status that `b` does not have, or, of equally many, has less often. It may be
// one of those that are not known of `b`.
bool has_more_of_a_status(const DiffNode& a, const DiffNode& b) {
  return std::any_of(a.statuses.begin(), a.statuses.end(), [&](const auto& status) {
    auto found = b.statuses.find(status.first);
    std::uint64_t others = found == b.statuses.end() ? 0 : found->second;
    return a.count == b.count ? status.second > others + b.unknown_ends
                              : others == 0 && b.unknown_ends == 0;
  });
}

bool has_other_status(const DiffNode& a, const DiffNode& b) {
  return has_more_of_a_status(a, b) || has_more_of_a_status(b, a);
}

// The status of a program that starts others often follows theirs.
void Comparison::judge_status(Pair& pair) {
  bool differs = has_other_status(a_[pair.a], b_[pair.b]);
  if (differs && !pair.cause_of_status) {
    records_.push_back(record_of(pair, Kind::status));
  }
  if (differs || pair.cause_of_status) {
    pairs_[pair.parent].cause_of_status = true;
  }
}

void Comparison::judge_time(Pair& pair) {
  const DiffNode& a = a_[pair.a];
  const DiffNode& b = b_[pair.b];
  auto per_run = [](nanoseconds time, std::uint64_t runs) {
    return time / static_cast<nanoseconds::rep>(std::max<std::uint64_t>(runs, 1));
  };
  pairs_[pair.parent].below += per_run(total(b.times), b_[pairs_[pair.parent].b].count) -
                               per_run(total(a.times), a_[pairs_[pair.parent].a].count);
  if (a.own_times.empty() || b.own_times.empty() || pair.changed) {
    return;
  }
  nanoseconds change = median(b.own_times) - median(a.own_times);
  nanoseconds own = change - pair.below;
  nanoseconds noise = time_noise(a, b);
  bool is_same_way = (change > nanoseconds::zero()) == (own > nanoseconds::zero());
  if (std::chrono::abs(change) > noise && std::chrono::abs(own) > noise && is_same_way) {
    records_.push_back(record_of(pair, Kind::time));
  }
}

std::vector<DiffRecord> Comparison::run() {
  pairs_.emplace_back();
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    compare_children(i);
  }
  for (std::size_t i = 1; i < pairs_.size(); ++i) {
    judge_count(pairs_[i]);
  }
  // From the leaves up, because they explain what is above.
  for (std::size_t i = pairs_.size(); i-- > 1;) {
    judge_status(pairs_[i]);
    judge_time(pairs_[i]);
  }
  std::stable_sort(records_.begin(), records_.end(), [](const DiffRecord& a, const DiffRecord& b) {
    auto rank = [](const DiffRecord& record) {
      return record.kind == Kind::only_b ? Kind::only_a : record.kind;  // changed ones together
    };
    return rank(a) < rank(b);
  });
  return std::move(records_);
}

}  // namespace

nanoseconds time_noise(const DiffNode& a, const DiffNode& b) {
  constexpr nanoseconds least = std::chrono::milliseconds(200);
  nanoseconds half = std::min(median(a.own_times), median(b.own_times)) / 2;
  return std::max({least, half, spread(a.own_times), spread(b.own_times)});
}

std::vector<DiffRecord> compare(const DiffTree& a, const DiffTree& b, const DiffOptions& options) {
  return Comparison(a, b, options).run();
}

}  // namespace bpftrap
