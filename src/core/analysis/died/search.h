// SPDX-License-Identifier: GPL-2.0-only
// Finds the ends that `why died` explains. It reads one segment of a recording at a time, because
// the last end is usually in the last segment, and a recorder's directory has many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/analysis/died/death_record.h"
#include "core/analysis/died/who.h"
#include "core/analysis/run.h"
#include "core/process/cgroup_paths.h"
#include "core/recording/recorded.h"

namespace bpftrap {

struct FoundEnd {
  KeptExit exit;
  std::string boot_id;
  // The end of process 1 of its pid namespace, if that ended just before.
  std::shared_ptr<const KeptExit> namespace_end = {};
};

// A process that WHO names and whose end is not recorded.
struct LivingMatch {
  ProcessId id;
  Pid local_pid = 0;
  std::string comm;
  // False if it is older than a recording with filters, which may not want its end.
  bool followed = true;
};

class DeathSearch {
 public:
  // `ends`: how many are wanted.
  explicit DeathSearch(const WhoMatcher& matcher, std::uint64_t ends = 1);

  // The records that follow begin a segment, which need not be the next one.
  void begin_segment();
  void take(std::span<const std::byte> record);

  // Ends of this segment in the order of time.
  std::deque<FoundEnd> take_ends() { return std::exchange(ends_, {}); }
  // True if the recorder has ended.
  bool has_stopped() const { return stopped_; }
  // The records of all segments that were lost or not understood.
  const RunGaps& gaps() const { return gaps_; }
  // Processes that match and live at the end of this segment.
  std::vector<LivingMatch> living() const;

 private:
  void take(Decoded& decoded);
  void take(const ExitRecord& exit);
  void take(const OlderRecord& older);
  // The process is born, or it has executed a program.
  void seen(Process process);
  void forget(const ProcessId& id);
  // True if the end is that of the process that stands for a unit or a container.
  bool is_main(const Process& process) const;

  const WhoMatcher& matcher_;
  std::uint64_t ends_most_;  // that are kept per segment: the last ones
  RunGaps gaps_;
  HostRecord host_;
  std::optional<CgroupPaths> cgroups_;
  std::unordered_map<ProcessId, LivingMatch, ProcessIdHash> living_;
  // Ends of the first processes of pid namespaces, by the inode.
  std::unordered_map<std::uint32_t, std::shared_ptr<const KeptExit>> namespace_ends_;
  std::deque<FoundEnd> ends_;
  bool stopped_ = false;
  bool filtered_ = false;
};

// Removes the ends of processes that helped the main process of a service to start or stop: those
// that ran at the same time and shorter, or shortly before or after under another name.
void drop_helpers(std::deque<FoundEnd>& ends);

// An earlier end that was like the one to explain.
struct RecentEnd {
  BootTime time;
  std::chrono::nanoseconds duration{};
  int wait_status = 0;

  BootTime start() const { return time - duration; }
};

// Collects the ends of processes with the same name, parent's name and unit in the hour before.
class RecentEnds {
 public:
  static constexpr std::chrono::nanoseconds period = std::chrono::hours(1);
  static constexpr std::size_t ends_most = 1'000'000;

  // `death` must outlive this object.
  explicit RecentEnds(const ExitRecord& death) : death_(death) {}

  BootTime since() const { return death_.time - period; }
  void begin_segment() { cgroups_.reset(); }
  void take(std::span<const std::byte> record);
  // Ends of that time that were lost.
  std::uint64_t lost() const { return lost_; }
  // In the order of time.
  std::vector<RecentEnd> finish();

 private:
  void take(const ExitRecord& exit);

  const ExitRecord& death_;
  Machine machine_;
  std::optional<CgroupPaths> cgroups_;
  std::vector<RecentEnd> ends_;
  std::uint64_t lost_ = 0;
};

}  // namespace bpftrap
