// SPDX-License-Identifier: GPL-2.0-only
#include "cli/load_run.h"

#include <fmt/format.h>

#include <optional>
#include <span>

#include "cli/show_source.h"
#include "core/analysis/run_builder.h"
#include "core/os/error.h"
#include "core/recording/batch_stream.h"
#include "core/text/text.h"

namespace bpftrap {

std::vector<std::string> doubts_about(const FileDamage& damage, const RunGaps& gaps) {
  std::vector<std::string> doubts;
  if (damage.parts > 0) {
    doubts.push_back(fmt::format("{} left out, the first at {}",
                                 counted(damage.parts, "damaged part is", "damaged parts are"),
                                 damage.first));
  }
  if (gaps.missing_batches > 0) {
    doubts.push_back(
        counted(gaps.missing_batches, "batch", "batches") +
        fmt::format(" of records {} missing", gaps.missing_batches == 1 ? "is" : "are"));
  }
  if (gaps.malformed > 0) {
    doubts.push_back(counted(gaps.malformed, "record", "records") +
                     " not understood: a newer bpftrap may have written them");
  }
  if (damage.torn_bytes > 0) {
    doubts.push_back(fmt::format("the last {} bytes are incomplete", damage.torn_bytes));
  }
  if (gaps.earlier_boots > 0) {
    doubts.push_back(counted(gaps.earlier_boots, "earlier boot is", "earlier boots are") +
                     " left out: the answer is about the last boot");
  }
  if (!gaps.has_stopped) {
    doubts.emplace_back("the recorder did not end, or still runs: up to a second may be missing");
  }
  if (std::uint64_t lost = gaps.lost(); lost > 0) {
    doubts.push_back(counted(lost, "record was", "records were") + " lost");
  }
  return doubts;
}

LoadedRun load_run(BatchStream reader, const std::string& path) {
  RunBuilder builder;
  Outline outline;
  while (std::optional<BatchPlace> place = reader.next()) {
    const RecordingBatch& header = place->header;
    builder.begin_batch(header);
    if (header.last_boot_ns != 0) {
      outline.first_wall_ns =
          std::min(outline.first_wall_ns.value_or(INT64_MAX), header.first_wall_ns);
      outline.last_wall_ns =
          std::max(outline.last_wall_ns.value_or(INT64_MIN), header.last_wall_ns);
    }
    if (std::optional<std::span<const std::byte>> payload = reader.read(*place)) {
      for_each_record(*payload, [&builder](std::span<const std::byte> record) {
        builder.take(record);
        return true;
      });
    }
  }
  LoadedRun loaded{builder.finish(), path};
  if (loaded.run.processes.empty()) {
    throw Error(fmt::format("'{}' has no complete records of processes", path), 0);
  }
  loaded.span = describe_span(outline);
  FileDamage damage{reader.damaged(), reader.first_damage(),
                    reader.is_directory() ? 0 : reader.torn_bytes()};
  loaded.doubts = doubts_about(damage, loaded.run);
  return loaded;
}

LoadedRun load_run(const std::string& file) {
  Source source = open_source(file);
  if (source.process) {
    throw Error(fmt::format("'{}' is no recording", file), 0, "name a FILE");
  }
  if (source.is_directory) {
    throw Error(fmt::format("'{}' is a directory", source.path), 0,
                "name a FILE that `bpftrap record -o FILE` has written");
  }
  LoadedRun loaded = load_run(BatchStream::of(source.file.get()), source.path);
  loaded.is_default = source.is_default;
  return loaded;
}

}  // namespace bpftrap
