// SPDX-License-Identifier: GPL-2.0-only
// --fail-on in the stream: which execs it examines, and which losses leave the answer open.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bpf/scope.h"
#include "core/output/json_sink.h"
#include "core/trace/process_stream.h"
#include "unit/wire.h"

namespace bpftrap {
namespace {

using namespace std::literals;
using Result = RecordHandler::Result;

class ProcessStreamFailOnTest : public testing::Test {
 protected:
  std::string out_;
  WallClock clock_;
  JsonSink sink_{{out_, clock_}};
};

TEST_F(ProcessStreamFailOnTest, ExecsThatFiltersRejectAreOnlyExamined) {
  std::vector<std::string> names;
  auto note = [&names](std::string_view name) {
    names.emplace_back(name);
    return false;
  };
  ProcessStream stream({.write_execs = true, .exits_of_execs_only = true, .fail_on = note});
  stream.live(BootTime(4500ms));
  Bytes exec = wire_exec("/bin/x", "", "a\0"sv, 2);
  reinterpret_cast<bpftrap_exec_event*>(exec.data())->flags = BPFTRAP_EXEC_UNWANTED;
  EXPECT_EQ(stream.handle(exec, sink_), Result::kept);
  EXPECT_EQ(names, std::vector<std::string>{"x"});
  EXPECT_EQ(stream.handle(bytes_of(wire_exit(0)), sink_), Result::kept)
      << "no exec of this process was printed";
  EXPECT_EQ(stream.written(), 0U);
}

TEST_F(ProcessStreamFailOnTest, NeedsEveryRecord) {
  auto status = [](std::size_t kind) {
    ProcessStream stream({.fail_on = [](std::string_view) { return false; }});
    bpftrap_lost lost{};
    lost.records[kind] = kind != 0 ? 1 : 0;
    stream.account(lost);
    return stream.status(3, true);
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(status(0), 3);
  for (std::size_t kind : {BPFTRAP_RECORD_EXEC, BPFTRAP_KIND_UNWANTED, BPFTRAP_KIND_MARK,
                           BPFTRAP_RECORD_FORK, BPFTRAP_RECORD_EXIT}) {
    EXPECT_EQ(status(kind), 125) << kind;
  }
  EXPECT_EQ(status(BPFTRAP_KIND_FAILED), 3) << "not asked for, and no program ran";
  ProcessStream stream({.fail_on = [](std::string_view) { return false; }});
  EXPECT_EQ(stream.handle({}, sink_), Result::malformed);
  EXPECT_EQ(stream.status(3, true), 125);
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace bpftrap
