// SPDX-License-Identifier: GPL-2.0-only
// Traces of --perfetto by the rules of the viewer: slices of a track nest, ids are unique, names
// are known before they are used.
#include "core/export/perfetto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <random>
#include <set>

namespace bpftrap {
namespace {

using Reader = protozero::pbf_reader;
using namespace std::string_view_literals;

struct Event {
  std::uint64_t time = 0;
  std::uint64_t type = 0;
  std::uint64_t track = 0;
  std::uint64_t name = 0;
  std::uint64_t category = 0;
  std::vector<std::uint64_t> from;
  std::vector<std::uint64_t> to;
};

// A trace that was read, and checked on the way.
class Trace {
 public:
  explicit Trace(const std::string& bytes) {
    Reader reader(bytes);
    while (reader.next(1)) {
      read_packet(reader.get_message());
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const Event& a, const Event& b) { return a.time < b.time; });
  }

  std::string name(std::uint64_t id) const { return names_[1].at(id); }
  std::string category(std::uint64_t id) const { return names_[0].at(id); }
  // `NAME:CATEGORY:LENGTH` of the slices, in order of their begin.
  std::vector<std::string> slices() const;
  void check() const;

  std::vector<Event> events;
  std::map<std::uint64_t, std::string> tracks;
  std::vector<std::int32_t> pids;

 private:
  void read_packet(Reader packet);
  void read_track(Reader track);
  void read_event(Reader message, Event event);
  void read_names(Reader data);

  std::map<std::uint64_t, std::string> names_[3];
  std::set<std::uint64_t> ids_;
  std::size_t packets_ = 0;
};

void Trace::read_packet(Reader packet) {
  Event event;
  std::optional<Reader> track_event;
  std::uint64_t flags = 0;
  std::uint64_t sequence = 0;
  bool first = false;
  while (packet.next()) {
    switch (packet.tag()) {
      case 8:
        event.time = packet.get_uint64();
        break;
      case 10:
        sequence = packet.get_uint32();
        break;
      case 11:
        track_event = packet.get_message();
        break;
      case 12:
        read_names(packet.get_message());
        break;
      case 13:
        flags = packet.get_uint32();
        break;
      case 60:
        read_track(packet.get_message());
        break;
      case 87:
        first = packet.get_bool();
        break;
      default:
        packet.skip();
    }
  }
  EXPECT_EQ(sequence, 1U);
  EXPECT_EQ(flags, packets_ == 0 ? 1U : 2U);
  EXPECT_EQ(first, packets_ == 0);
  ++packets_;
  if (track_event) {
    read_event(*track_event, event);
  }
}

void Trace::read_track(Reader track) {
  std::uint64_t id = 0;
  std::string name;
  while (track.next()) {
    switch (track.tag()) {
      case 1:
        id = track.get_uint64();
        break;
      case 2:
        name = track.get_string();
        break;
      case 3: {
        Reader process = track.get_message();
        EXPECT_TRUE(process.next(1));
        pids.push_back(process.get_int32());
        break;
      }
      case 5:
        EXPECT_TRUE(ids_.contains(track.get_uint64()));
        break;
      default:
        track.skip();
    }
  }
  EXPECT_TRUE(ids_.insert(id).second) << "track " << id << " is described twice";
  tracks[id] = name;
}

void Trace::read_event(Reader message, Event event) {
  while (message.next()) {
    switch (message.tag()) {
      case 3:
        event.category = message.get_uint64();
        break;
      case 4: {
        Reader annotation = message.get_message();
        EXPECT_TRUE(annotation.next(1));
        EXPECT_TRUE(names_[2].contains(annotation.get_uint64()));
        break;
      }
      case 9:
        event.type = message.get_uint64();
        break;
      case 10:
        event.name = message.get_uint64();
        break;
      case 11:
        event.track = message.get_uint64();
        break;
      case 47:
        event.from.push_back(message.get_fixed64());
        break;
      case 48:
        event.to.push_back(message.get_fixed64());
        break;
      default:
        message.skip();
    }
  }
  EXPECT_TRUE(ids_.contains(event.track));
  events.push_back(event);
}

void Trace::read_names(Reader data) {
  while (data.next()) {
    std::size_t kind = data.tag() - 1;
    Reader entry = data.get_message();
    std::uint64_t id = 0;
    while (entry.next()) {
      if (entry.tag() == 1) {
        id = entry.get_uint64();
      } else {
        EXPECT_TRUE(names_[kind].emplace(id, entry.get_string()).second);
      }
    }
    EXPECT_NE(id, 0U);
  }
}

void Trace::check() const {
  std::map<std::uint64_t, std::vector<Event>> open;
  std::map<std::uint64_t, std::uint64_t> flows;
  for (const Event& event : events) {
    if (event.type == 1) {
      open[event.track].push_back(event);
    } else if (event.type == 2) {
      ASSERT_FALSE(open[event.track].empty());
      open[event.track].pop_back();
    }
    // One process at a time: its programs follow each other.
    EXPECT_LE(open[event.track].size(), 1U) << "at " << event.time;
    if (event.type == 1 || event.type == 3) {
      EXPECT_NO_THROW(name(event.name));
      EXPECT_NO_THROW(category(event.category));
    }
    for (std::uint64_t flow : event.from) {
      EXPECT_TRUE(flows.emplace(flow, event.time).second);
    }
    for (std::uint64_t flow : event.to) {
      ASSERT_TRUE(flows.contains(flow));
      EXPECT_LE(flows[flow], event.time);
    }
  }
  for (const auto& [track, left] : open) {
    EXPECT_TRUE(left.empty()) << "track " << track;
  }
}

std::vector<std::string> Trace::slices() const {
  std::vector<std::string> found;
  for (auto begin = events.begin(); begin != events.end(); ++begin) {
    if (begin->type == 1) {
      auto end = std::find_if(begin, events.end(), [&](const Event& event) {
        return event.type == 2 && event.track == begin->track;
      });
      found.push_back(name(begin->name) + ":" + category(begin->category) + ":" +
                      std::to_string(end->time - begin->time));
    }
  }
  return found;
}

class PerfettoTest : public testing::Test {
 protected:
  static BootTime at(std::int64_t ns) { return BootTime(std::chrono::nanoseconds(ns)); }
  static Process process(Pid pid, Pid parent) {
    Process process;
    process.id = {pid, 1000U + pid};
    process.parent = {parent, 1000U + parent};
    process.comm = "comm";
    return process;
  }
  void start() { export_.write(StartRecord{at(1000), "host", "boot", "kernel", "record"}); }
  void fork(Pid pid, Pid parent) {
    ForkRecord record;
    record.process = process(pid, parent);
    record.time = at(1000 + pid);
    export_.write(record);
  }
  void exec(std::int64_t time, Pid pid, Pid parent, std::string_view file, int error = 0) {
    ExecRecord record;
    record.process = process(pid, parent);
    record.time = at(time);
    record.filename = file;
    record.error = error;
    record.args = Arguments{"x\0\xff\0"sv};
    record.env = Arguments{"SECRET=1\0"sv};
    export_.write(record);
  }
  void exit(std::int64_t time, Pid pid, Pid parent, int wait_status, bool executed = true) {
    ExitRecord record;
    record.process = process(pid, parent);
    record.time = at(time);
    record.wait_status = wait_status;
    record.executed = executed;
    export_.write(record);
  }
  Trace result(std::int64_t time) {
    export_.write(StopRecord{at(time), 0, 0});
    export_.finish();
    return Trace(out_);
  }

  std::string out_;
  WallClock clock_ = WallClock::recorded();
  PerfettoExport export_{SinkSetup{out_, clock_}};
};

using Slices = std::vector<std::string>;

TEST_F(PerfettoTest, ProgramsFollowEachOther) {
  start();
  fork(10, 1);
  exec(1020, 10, 1, "/bin/make");
  fork(30, 10);
  exec(1040, 30, 10, "/nonexistent", 2);
  exec(1050, 30, 10, "/bin/sh");
  exec(1060, 30, 10, "/bin/cc");
  exit(1100, 30, 10, 0x0100);
  fork(150, 10);
  exit(1160, 150, 10, 0, false);
  fork(170, 10);
  exit(1180, 170, 10, 11);
  Trace trace = result(1300);
  trace.check();
  EXPECT_EQ(trace.slices(),
            (Slices{"comm:fork:10", "make:running:280", "comm:fork:20", "sh:program:10",
                    "cc:failed:40", "comm:fork:10", "comm:signal:10"}));
  EXPECT_EQ(trace.pids, (std::vector<std::int32_t>{30, 150, 170, 10}));
  EXPECT_EQ(out_.find("SECRET"), std::string::npos);
  // Both children of make use the same lane.
  std::set<std::string> lanes;
  for (const auto& [id, name] : trace.tracks) {
    if (name.starts_with("lane")) {
      lanes.insert(name);
    }
  }
  EXPECT_EQ(lanes, (std::set<std::string>{"lane 1", "lane 2"}));
  EXPECT_EQ(export_.summary(), "4 processes; open it with https://ui.perfetto.dev");
}

TEST_F(PerfettoTest, OlderAndUnknownProcessesNestToo) {
  start();
  fork(10, 1);
  exit(1030, 10, 1, 0);
  ExitRecord older;
  older.process = process(5, 1);
  older.process.id.start_ns = 3;
  older.time = at(1040);
  older.duration = std::chrono::nanoseconds(1037);
  export_.write(older);
  exit(1070, 20, 1, 0);  // its fork was lost
  exec(1080, 3, 1, "/bin/late");
  export_.write(LostRecord{at(1085), 7});
  Trace trace = result(1100);
  trace.check();
  EXPECT_EQ(trace.slices(), (Slices{"comm:fork:40", "comm:fork:77", "comm:program:20",
                                    "comm:program:50", "late:end unknown:20"}));
  EXPECT_EQ(std::count_if(trace.tracks.begin(), trace.tracks.end(),
                          [](const auto& track) { return track.second == "lost records"; }),
            1);
}

TEST_F(PerfettoTest, EndsThatAreNotWrittenEndTheirSlices) {
  start();
  fork(10, 1);
  fork(20, 1);
  fork(30, 1);
  export_.write(UnwrittenEnd{process(10, 1).id, at(1050)});
  export_.write(UnwrittenEnd{process(99, 1).id, at(1060)});
  export_.write(UnwrittenEnd{process(20, 1).id, at(1)});  // not before its start
  Trace trace = result(1100);
  trace.check();
  EXPECT_EQ(trace.slices(), (Slices{"comm:ended:40", "comm:ended:0", "comm:running:70"}));
}

TEST_F(PerfettoTest, WithLossesAnEndMayBeUnknown) {
  start();
  fork(10, 1);
  export_.write(LostRecord{at(1020), 3});
  Trace trace = result(1100);
  EXPECT_EQ(trace.slices(), (Slices{"comm:end unknown:90"}));
}

TEST_F(PerfettoTest, LaterBootWhoseClockIsBehindFollowsTheFirst) {
  start();
  fork(10, 1);
  exit(5'000'000'000, 10, 1, 0);
  export_.write(StartRecord{at(10), "host", "other boot", "kernel", "record"});
  exit(1'000'000, 20, 1, 0);
  ExitRecord hostile;
  hostile.process = process(30, 1);
  hostile.process.id.start_ns = UINT64_MAX;
  hostile.time = at(INT64_MAX);
  hostile.cpu.user = std::chrono::nanoseconds::max();
  export_.write(hostile);
  Trace trace = result(2'000'000);
  trace.check();
  EXPECT_EQ(trace.slices().size(), 3U);
}

TEST_F(PerfettoTest, AnyOrderOfRecordsNests) {
  std::mt19937 random(1);
  start();
  std::vector<Pid> living{1};
  for (Pid pid = 2; pid < 2000; ++pid) {
    Pid parent = living[random() % living.size()];
    if (random() % 20 != 0) {
      fork(pid, parent);
    }
    living.push_back(pid);
    Pid other = living[random() % living.size()];
    std::int64_t now = 1000 + pid + static_cast<std::int64_t>(random() % 5) - 2;
    if (random() % 3 == 0) {
      exec(now, other, 1, "/bin/program", static_cast<int>(random() % 3));
    }
    if (random() % 2 == 0) {
      exit(now + 1, other, 1, static_cast<int>(random() % 2) << 8);
      std::erase(living, other);
      living.push_back(1);
    }
  }
  result(4000).check();
}

}  // namespace
}  // namespace bpftrap
