// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/diff/match.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <numeric>
#include <unordered_set>

#include "core/os/split.h"

namespace bpftrap {

namespace {

constexpr std::string_view spaces = " \t\n";

// The words of all arguments, each with a NUL behind it.
std::string words_of(std::string_view key) {
  std::string words(key);
  for (char& c : words) {
    c = spaces.find(c) != std::string_view::npos ? '\0' : c;
  }
  return words;
}

std::set<std::string, std::less<>> set_of_words(std::string_view key) {
  std::string words = words_of(key);
  std::set<std::string, std::less<>> set;
  for (std::string_view word : split(words, '\0')) {
    set.emplace(word);
  }
  return set;
}

class Matcher {
 public:
  Matcher(const DiffTree& a, const DiffTree& b) : a_(a), b_(b) {}

  ChildMatch match(std::vector<Index> children_a, std::vector<Index> children_b);

 private:
  void match_equal();
  void match_but_for_chance();
  void match_shared_words();
  void match_single();
  bool are_same_but_for_chance(Index a, Index b) const;
  // Adds the pair to `to`. It stays in only_* until drop_moved().
  void move(std::vector<std::pair<Index, Index>>& to, Index a, Index b);
  void drop_moved();

  const DiffTree& a_;
  const DiffTree& b_;
  ChildMatch match_;
  std::unordered_set<Index> moved_a_;
  std::unordered_set<Index> moved_b_;
};

void Matcher::move(std::vector<std::pair<Index, Index>>& to, Index a, Index b) {
  to.emplace_back(a, b);
  moved_a_.insert(a);
  moved_b_.insert(b);
}

void Matcher::drop_moved() {
  std::erase_if(match_.only_a, [this](Index a) { return moved_a_.contains(a); });
  std::erase_if(match_.only_b, [this](Index b) { return moved_b_.contains(b); });
}

void Matcher::match_equal() {
  std::map<TextId, Index> keys;
  for (Index b : match_.only_b) {
    keys.emplace(b_[b].key, b);
  }
  for (Index a : match_.only_a) {
    auto equal = keys.find(a_[a].key);
    if (equal != keys.end()) {
      move(match_.same, a, equal->second);
    }
  }
  drop_moved();
}

bool Matcher::are_same_but_for_chance(Index a, Index b) const {
  std::vector<std::string_view> keys_a = split(a_.key(a), '\0');
  std::vector<std::string_view> keys_b = split(b_.key(b), '\0');
  std::optional<Arguments> args_a = a_.args(a);
  std::optional<Arguments> args_b = b_.args(b);
  if (keys_a.size() != keys_b.size() || !args_a || !args_b) {
    return false;
  }
  std::vector<std::string_view> words_a = split(args_a->bytes, '\0');
  std::vector<std::string_view> words_b = split(args_b->bytes, '\0');
  if (words_a.size() != keys_a.size() || words_b.size() != keys_b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < keys_a.size(); ++i) {
    // A number can be a pid in one run only.
    if (keys_a[i] != keys_b[i] && words_a[i] != words_b[i] &&
        !differ_by_temporary_name(keys_a[i], keys_b[i])) {
      return false;
    }
  }
  return true;
}

void Matcher::match_but_for_chance() {
  // Each is compared with each of the others.
  constexpr std::size_t bytes_most = 200'000'000;
  auto bytes_of = [](const DiffTree& tree, const std::vector<Index>& nodes) {
    return std::accumulate(
        nodes.begin(), nodes.end(), nodes.size(),
        [&tree](std::size_t sum, Index node) { return sum + tree.key(node).size(); });
  };
  if (bytes_of(a_, match_.only_a) * match_.only_b.size() +
          bytes_of(b_, match_.only_b) * match_.only_a.size() >
      bytes_most) {
    return;
  }
  for (Index a : match_.only_a) {
    auto same = std::find_if(match_.only_b.begin(), match_.only_b.end(), [&](Index b) {
      return !moved_b_.contains(b) && are_same_but_for_chance(a, b);
    });
    if (same != match_.only_b.end()) {
      move(match_.same, a, *same);
    }
  }
  drop_moved();
}

// The words of each program that both runs know, without those of one run only.
class SharedWords {
 public:
  void add(const std::string& title, std::string_view key, bool is_a) {
    for (const std::string& word : set_of_words(key)) {
      (is_a ? words_[title].first : words_[title].second).insert(word);
    }
  }
  // The program and those of its words that both runs know, in their order.
  std::string signature(const std::string& title, std::string_view key) const {
    const auto& [a, b] = words_.at(title);
    std::string words = words_of(key);
    std::string text = title;
    for (std::string_view word : split(words, '\0')) {
      if (a.contains(word) && b.contains(word)) {
        text += '\0';
        text += word;
      }
    }
    return text;
  }

 private:
  using Words = std::set<std::string, std::less<>>;
  std::map<std::string, std::pair<Words, Words>> words_;
};

// Pairs those that differ in words of one run only, such as a flag that is new.
void Matcher::match_shared_words() {
  SharedWords shared;
  for (Index a : match_.only_a) {
    shared.add(a_.title(a), a_.key(a), true);
  }
  for (Index b : match_.only_b) {
    shared.add(b_.title(b), b_.key(b), false);
  }
  std::map<std::string, std::deque<Index>> by_signature;
  for (Index b : match_.only_b) {
    std::string title = b_.title(b);
    by_signature[shared.signature(title, b_.key(b))].push_back(b);
  }
  for (Index a : match_.only_a) {
    std::string title = a_.title(a);
    auto found = by_signature.find(shared.signature(title, a_.key(a)));
    if (found != by_signature.end() && !found->second.empty()) {
      Index b = found->second.front();
      found->second.pop_front();
      move(match_.changed, a, b);
    }
  }
  drop_moved();
}

// Pairs what is left if each run has one program of that name.
void Matcher::match_single() {
  std::map<std::string, std::pair<std::vector<Index>, std::vector<Index>>> by_title;
  for (Index a : match_.only_a) {
    by_title[a_.title(a)].first.push_back(a);
  }
  for (Index b : match_.only_b) {
    by_title[b_.title(b)].second.push_back(b);
  }
  for (const auto& [title, both] : by_title) {
    if (both.first.size() == 1 && both.second.size() == 1) {
      move(match_.changed, both.first.front(), both.second.front());
    }
  }
  drop_moved();
}

ChildMatch Matcher::match(std::vector<Index> children_a, std::vector<Index> children_b) {
  match_.only_a = std::move(children_a);
  match_.only_b = std::move(children_b);
  match_equal();
  if (!match_.only_a.empty() && !match_.only_b.empty()) {
    match_but_for_chance();
    match_shared_words();
    match_single();
  }
  return std::move(match_);
}

}  // namespace

bool Substitution::contains(const Substitution& other) const {
  return std::includes(removed.begin(), removed.end(), other.removed.begin(),
                       other.removed.end()) &&
         std::includes(added.begin(), added.end(), other.added.begin(), other.added.end());
}

void Substitution::add(const Substitution& other) {
  removed.insert(other.removed.begin(), other.removed.end());
  added.insert(other.added.begin(), other.added.end());
}

Substitution substitution(std::string_view key_a, std::string_view key_b) {
  std::set<std::string, std::less<>> a = set_of_words(key_a);
  std::set<std::string, std::less<>> b = set_of_words(key_b);
  Substitution result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                      std::inserter(result.removed, result.removed.end()));
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(),
                      std::inserter(result.added, result.added.end()));
  return result;
}

ChildMatch match_children(const DiffTree& a, Index node_a, const DiffTree& b, Index node_b,
                          const std::function<bool(std::string_view)>& ignores) {
  auto wanted = [&ignores](const DiffTree& tree, Index parent) {
    std::vector<Index> children = tree[parent].children;
    if (ignores) {
      std::erase_if(children, [&](Index child) { return ignores(tree.title(child)); });
    }
    return children;
  };
  return Matcher(a, b).match(wanted(a, node_a), wanted(b, node_b));
}

}  // namespace bpftrap
