// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/genealogy.h"

#include <algorithm>
#include <cstring>

#include "bpf/scope.h"

namespace bpftrap {

void Genealogy::Member::rename(std::string_view name) {
  comm.fill('\0');
  std::copy_n(name.begin(), std::min(name.size(), comm.size()), comm.begin());
}

std::string_view Genealogy::Member::name() const {
  return {comm.data(), ::strnlen(comm.data(), comm.size())};
}

Genealogy::Key Genealogy::key_of(const ProcessId& id) {
  return {id.pid, id.start_ns / BPFTRAP_TICK_NS * BPFTRAP_TICK_NS};
}

Genealogy::Member* Genealogy::find(const Key& key) {
  auto found = members_.find(key);
  return found != members_.end() ? &found->second : nullptr;
}

// Forgetting the dead takes time in proportion to all members, so it must yield much.
bool Genealogy::has_room() {
  if (members_.size() >= entries_most_ && dead_ > entries_most_ / 8) {
    for (auto& [key, member] : members_) {
      Member* parent = member.counted ? find(member.parent) : nullptr;
      if (parent != nullptr && member.dead) {
        --parent->children;
      }
      member.counted = parent != nullptr && !parent->dead;
    }
    std::erase_if(members_, [](const auto& entry) { return entry.second.dead; });
    dead_ = 0;
  }
  return members_.size() < entries_most_;
}

Genealogy::Member* Genealogy::find_or_add(const Key& key, Pid local_pid, std::string_view comm) {
  Member* member = find(key);
  if (member == nullptr) {
    if (!has_room()) {
      ++refused_;
      return nullptr;
    }
    member = &members_[key];
    member->local_pid = local_pid;
  }
  member->rename(comm);
  return member;
}

void Genealogy::link(Member& child, const Key& parent) {
  child.parent = parent;
  if (Member* found = find(parent)) {
    child.counted = true;
    ++found->children;
  }
}

void Genealogy::add_older(const ProcessList& list) {
  std::unordered_map<Pid, Key> keys;
  std::vector<const ListedProcess*> added;
  for (const ListedProcess& process : list.all()) {
    Key key{process.pid, process.start_ticks * BPFTRAP_TICK_NS};
    bool is_new = find(key) == nullptr;
    if (process.state != ListedProcess::State::ended &&
        find_or_add(key, process.local_pid, process.comm) != nullptr) {
      keys.emplace(process.pid, key);
      if (is_new) {
        added.push_back(&process);
      }
    }
  }
  for (const ListedProcess* process : added) {
    auto own = keys.find(process->pid);
    // A parent that is not listed is outside the pid namespace.
    auto parent = keys.find(process->parent);
    link(members_[own->second], parent != keys.end() ? parent->second : Key{process->parent, 0});
  }
}

Genealogy::Member* Genealogy::add(const Process& process) {
  Key key = key_of(process.id);
  Key parent = key_of(process.parent);
  bool is_new = find(key) == nullptr;
  // The parent first, because a new member may displace the dead.
  if (parent.pid != 0 &&
      find_or_add(parent, process.local_parent, process.parent_comm) == nullptr) {
    return nullptr;
  }
  Member* member = find_or_add(key, process.local_pid, process.comm);
  if (member != nullptr && is_new) {
    link(*member, parent);
  }
  return member;
}

void Genealogy::forked(const Process& child) {
  Member* member = add(child);
  if (member != nullptr && levels_ == Levels::processes && !member->has_level) {
    member->level = level_below(*member);
    member->has_level = true;
  }
}

void Genealogy::executed(const Process& process, bool wanted) {
  Member* member = find(key_of(process.id));
  if (member == nullptr) {
    member = add(process);  // its birth was lost
  } else {
    member->rename(process.comm);
  }
  if (member != nullptr && !member->has_level && wanted) {
    member->level = level_below(*member);
    member->has_level = true;
  }
}

unsigned Genealogy::level_below(const Member& child) {
  Key at = child.parent;
  for (std::size_t i = 0; i < ancestors_most && at.pid != 0; ++i) {
    const Member* ancestor = find(at);
    if (ancestor == nullptr) {
      break;
    }
    if (ancestor->has_level) {
      return ancestor->level + 1;
    }
    at = ancestor->parent;
  }
  return 0;
}

unsigned Genealogy::level_of(const Process& process) {
  const Member* member = find(key_of(process.id));
  if (member == nullptr) {
    return 0;
  }
  return member->has_level ? member->level : level_below(*member);
}

Ancestors Genealogy::ancestors_of(const Process& process) {
  found_.clear();
  Key real_parent = key_of(process.parent);
  const Member* member = find(key_of(process.id));
  Key at = member != nullptr ? member->parent : real_parent;
  // The record has the present name of a parent that is still the real one.
  if (at == real_parent && at.pid != 0) {
    found_.push_back({process.parent_comm, at.pid, process.local_parent});
    member = find(at);
    if (member == nullptr) {
      return {found_, true};
    }
    at = member->parent;
  }
  while (at.pid != 0) {
    member = find(at);
    if (member == nullptr || found_.size() == ancestors_most) {
      return {found_, true};
    }
    found_.push_back({member->name(), at.pid, member->local_pid});
    at = member->parent;
  }
  return {found_, false};
}

void Genealogy::release(Members::iterator member) {
  while (member->second.dead && member->second.children == 0) {
    bool counted = member->second.counted;
    Key parent = member->second.parent;
    members_.erase(member);
    --dead_;
    member = counted ? members_.find(parent) : members_.end();
    if (member == members_.end()) {
      return;
    }
    --member->second.children;
  }
}

void Genealogy::ended(const ProcessId& id) {
  auto found = members_.find(key_of(id));
  if (found != members_.end() && !found->second.dead) {
    found->second.dead = true;
    ++dead_;
    release(found);
  }
}

void Genealogy::mark_dead() {
  sweep_.mark(members_, [](const auto& entry) {
    return entry.second.dead ? Pid{0} : entry.second.local_pid;
  });
}

void Genealogy::forget_dead() {
  for (const Key& key : sweep_.take_dead()) {
    ended(key);
  }
  sweep_.set_left(living());
}

}  // namespace bpftrap
