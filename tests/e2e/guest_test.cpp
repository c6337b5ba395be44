// SPDX-License-Identifier: GPL-2.0-only
// Tests that would harm the machine as a whole: setting its clock, fork bombs. They exist only in
// the virtual machines of tests/vm/.
#include "e2e/guest.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/failure.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

// Sets the wall clock forward or back, and restores it when destroyed.
class ClockSetter {
 public:
  ClockSetter() : offset_(wall_ns_now() - boot_ns_now()) {}
  ~ClockSetter() { set(0s); }
  ClockSetter(const ClockSetter&) = delete;
  ClockSetter& operator=(const ClockSetter&) = delete;

  void set(std::chrono::seconds ahead) const {
    std::uint64_t now = offset_ + boot_ns_now();
    timespec time{static_cast<time_t>(now / 1'000'000'000) + static_cast<time_t>(ahead.count()),
                  static_cast<long>(now % 1'000'000'000)};
    if (::clock_settime(CLOCK_REALTIME, &time) != 0) {
      throw Failure("cannot set the clock");
    }
  }

 private:
  std::uint64_t offset_;
};

class ClockTest : public TracingTest {
 protected:
  void TestBody() override {
    Bpftrap bpftrap({"exec", "--json"});
    bpftrap.await_start();
    ClockSetter clock;
    std::uint64_t last = 0;
    for (std::chrono::seconds ahead : {0s, 3600s, -7200s, 86400s, 0s}) {
      SCOPED_TRACE(ahead.count());
      clock.set(ahead);
      sleep_for(100ms);  // bpftrap is notified of the step
      std::uint64_t before = wall_ns_now();
      Ended process = run_workload({"nothing"});
      std::uint64_t after = wall_ns_now();
      bpftrap.await([&] { return bpftrap.records_of(process).size() == 2; });
      for (const char* kind : {"exec", "exit"}) {
        Record record = bpftrap.record_of(process, kind);
        constexpr std::uint64_t slack = 10'000'000;  // the two clocks are read one after the other
        EXPECT_GE(wall_ns_of(record) + slack, before);
        EXPECT_LE(wall_ns_of(record), after + slack);
        EXPECT_GT(record.number("boot_ns"), last) << "CLOCK_BOOTTIME must not step";
        last = record.number("boot_ns");
      }
      Record exit = bpftrap.record_of(process, "exit");
      EXPECT_LE(exit.number("duration_ns"), process.after_end - process.before_fork);
    }
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.errors(), "");
  }
};

// Forks as fast as possible until told to end. Counts the processes that it starts.
enum Word { ended, started, refused };
void be_a_bomb(SharedWords& words) {
  auto add = [&](Word word) { __atomic_fetch_add(&words[word], 1, __ATOMIC_SEQ_CST); };
  while (words[ended] == 0) {
    pid_t pid = ::fork();
    if (pid > 0) {
      add(started);
      // Half of the children become orphans.
      if (pid % 2 == 0) {
        ::waitpid(pid, nullptr, WNOHANG);
      } else {
        break;
      }
    } else if (pid < 0) {
      add(refused);
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
    }
  }
}

class ForkBombTest : public TracingTest {
 protected:
  void TestBody() override {
    const std::string root = hierarchy();
    write_file(root + "/cgroup.subtree_control", "+pids");
    Group group(root + "/bpftrap-e2e-bomb");
    ASSERT_TRUE(write_file(group.path() + "/pids.max", "100")) << "no pids controller";
    Bpftrap json({"exit", "--json", "--user", storm_user}, {.may_lose = true});
    Bpftrap table({"exit", "--color", "never", "--user", storm_user});
    json.await_start();
    table.await_start();
    SharedWords words;
    // As a subreaper this process gets the orphans, and so sees the end of all.
    Child keeper([&] {
      ::prctl(PR_SET_CHILD_SUBREAPER, 1);
      if (::fork() == 0) {
        group.enter();
        ::syscall(SYS_setuid, storm_uid);
        be_a_bomb(words);
        ::_exit(0);
      }
      while (::waitpid(-1, nullptr, 0) > 0) {
      }
      return errno == ECHILD ? 0 : 1;
    });
    for (int i = 0; i < 20; ++i) {
      sleep_for(100ms);
      json.read_for(0ms);
      table.read_for(0ms);
    }
    words[ended] = 1;
    EXPECT_EQ(keeper.wait().status, 0);
    std::uint64_t all = words[started] + 1;
    EXPECT_GT(words[refused], 0U) << "the limit was never reached";
    EXPECT_GT(all, 100U);
    EXPECT_EQ(json.stop(), 0);
    EXPECT_EQ(table.stop(), 0);
    const Record& stop = json.records().back();
    EXPECT_EQ(stop.number("records") + stop.number("lost"), all);
    std::uint64_t rows = 0;
    for (const std::string& line : table.lines()) {
      rows += line.find(" " + std::string(storm_user) + " ") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(rows + 1, table.lines().size()) << "a header and one row per record";
    EXPECT_LE(rows, all);
  }
};

[[maybe_unused]] const bool registered[] = {
    register_for_guests<ClockTest>("GuestTest", "ClockThatIsSetForwardAndBack", __FILE__, __LINE__),
    register_for_guests<ForkBombTest>("GuestTest", "ForkBombWithinALimitOfPids", __FILE__,
                                      __LINE__),
};

}  // namespace
}  // namespace e2e
