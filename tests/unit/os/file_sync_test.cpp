// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/file_sync.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>

namespace bpftrap {
namespace {

TEST(FileSyncTest, StartsSeveralTimesBeforeItSyncs) {
  std::mutex mutex;
  std::condition_variable changed;
  std::string calls;
  auto note = [&](char call) {
    return [&, call] {
      std::lock_guard<std::mutex> lock(mutex);
      calls += call;
      changed.notify_all();
    };
  };
  {
    FileSync sync(std::chrono::milliseconds(5), {note('c'), note('s'), note('S')});
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&calls] { return calls.size() >= 11; });
  }
  EXPECT_EQ(calls.substr(0, 11), "cssssSssssS");
}

}  // namespace
}  // namespace bpftrap
