// SPDX-License-Identifier: GPL-2.0-only
#include "core/timeline/timeline.h"

#include <fmt/format.h>

#include "core/analysis/critical_path.h"
#include "core/timeline/base64_stream.h"
#include "core/timeline/page.h"
#include "core/timeline/timeline_data.h"

namespace bpftrap {

std::size_t write_timeline(const RecordedRun& run, const std::vector<TimelineSegment>& chain,
                           const std::function<void(std::string_view)>& write) {
  TimelinePage page = timeline_page();
  write(page.before);
  Base64Stream stream(write);
  TimelineData data(run);
  data.write(chain, [&stream](std::string_view bytes) { stream.add(bytes); });
  stream.finish();
  write(page.after);
  return data.size();
}

std::string export_timeline(const RecordedRun& run,
                            const std::function<void(std::string_view)>& write) {
  std::vector<TimelineSegment> chain;
  if (run.program != no_index) {
    for (const Segment& segment : critical_path(run, run.program).segments) {
      chain.push_back({segment.process, segment.begin, segment.duration()});
    }
  }
  std::size_t count = write_timeline(run, chain, write);
  return fmt::format("{} process{}", count, count == 1 ? "" : "es");
}

}  // namespace bpftrap
