// SPDX-License-Identifier: GPL-2.0-only
// cputime_adjust() of kernel/sched/cputime.c in user space (see cputime.h).
#include "core/record/cputime.h"

#include <algorithm>
#include <cstdint>

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

__extension__ using Uint128 = unsigned __int128;

// Unsigned like the kernel's u64: even a malformed record cannot cause undefined arithmetic.
std::uint64_t to_u64(nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

nanoseconds to_time(std::uint64_t ns) {
  return nanoseconds(static_cast<nanoseconds::rep>(ns));
}

// The sum of two times that are not negative, at most the largest time.
nanoseconds sum(nanoseconds one, nanoseconds other) {
  return to_time(std::min(to_u64(one) + to_u64(other), to_u64(nanoseconds::max())));
}

std::uint64_t system_share(std::uint64_t user, std::uint64_t system, std::uint64_t runtime) {
  // The kernel checks stime first and then charges all time as user time.
  if (system == 0) {
    return 0;
  }
  // 128 bits lose no precision, as in mul_u64_u64_div_u64().
  return static_cast<std::uint64_t>(Uint128{system} * runtime / (Uint128{system} + user));
}

}  // namespace

CpuTimes adjust_cpu_times(CpuTimes sampled, nanoseconds runtime, CpuTimes previous) {
  std::uint64_t total = to_u64(runtime);
  std::uint64_t previous_user = to_u64(previous.user);
  std::uint64_t previous_system = to_u64(previous.system);
  // sum_exec_runtime went backwards, or another reader already got a later result.
  if (previous_user + previous_system >= total) {
    return previous;
  }
  std::uint64_t system =
      std::max(system_share(to_u64(sampled.user), to_u64(sampled.system), total), previous_system);
  std::uint64_t user = total - system;
  if (user < previous_user) {
    user = previous_user;
    system = total - user;
  }
  return {to_time(user), to_time(system)};
}

nanoseconds total_cpu_time(const EndingAccount& account) {
  nanoseconds known = sum(account.runtime, account.unaccounted);
  if (account.waited && !account.had_threads) {
    nanoseconds bound = std::max(account.duration - *account.waited, account.runtime);
    known = account.slept || account.clock_known ? std::min(known, bound) : bound;
  }
  return sum(known, account.ending);
}

}  // namespace bpftrap
