// SPDX-License-Identifier: GPL-2.0-only
// The part of the data that describes the recording, and the names of numbers.
#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "core/os/version.h"
#include "core/record/signal_name.h"
#include "core/timeline/timeline_data.h"

namespace bpftrap {

namespace {

// Numbers of a greater size are not exact in JavaScript.
constexpr std::int64_t exact_most = std::int64_t{1} << 53;

// A reader learns of losses each second.
constexpr std::chrono::seconds loss_interval(1);

}  // namespace

void TimelineData::add_head() {
  auto add_text = [this](const char* key, std::string_view text) {
    add_key(key);
    line_.string(text);
  };
  auto add_number = [this](const char* key, std::int64_t number) {
    add_key(key);
    line_.number(number);
  };
  auto add_flag = [this](const char* key, bool flag) {
    add_key(key);
    line_.raw(flag ? "true" : "false");
  };
  add_number("format", 1);
  add_text("bpftrap", version());
  add_text("host", run_.host.name);
  add_text("boot_id", run_.host.boot_id);
  add_text("kernel", run_.host.kernel);
  add_text("command", run_.command);
  add_number("cpus", run_.host.cpus);
  add_flag("has_program", run_.has_program);
  add_flag("filtered", run_.filtered);
  add_flag("complete", run_.has_stopped);
  add_number("earlier_boots", static_cast<std::int64_t>(run_.earlier_boots));
  add_number("missing_batches", static_cast<std::int64_t>(run_.missing_batches));
  add_number("malformed", static_cast<std::int64_t>(run_.malformed));
  add_text("begin_boot_ns", fmt::format("{}", run_.start.time_since_epoch().count()));
  std::int64_t wall = run_.clock.to_wall(run_.start).ns;
  add_key("begin_wall_ms");
  line_.raw(fmt::format("{}.{:06}", wall / 1'000'000, std::abs(wall % 1'000'000)));
  add_number("end", since_begin(run_.stop));
}

void TimelineData::add_losses() {
  add_key("losses");
  line_.raw("{");
  first_key_ = true;
  BootTime before = run_.start;
  const std::vector<RunLoss>& losses = run_.losses;
  add_array("since", losses.size(), [&](std::size_t i) {
    const RunLoss& loss = losses[i];
    BootTime since = std::min(std::max(before, loss.time - loss_interval), loss.time);
    before = loss.time;
    return std::optional<std::int64_t>(since_begin(since));
  });
  add_array("at", losses.size(), [&](std::size_t i) {
    return std::optional<std::int64_t>(since_begin(losses[i].time));
  });
  add_array("count", losses.size(),
            [&](std::size_t i) { return std::optional<std::int64_t>(losses[i].count()); });
  line_.raw("}");
}

void TimelineData::add_chain(const std::vector<TimelineSegment>& chain) {
  add_key("chain");
  if (chain.empty()) {
    line_.raw("null");
    return;
  }
  line_.raw("{");
  first_key_ = true;
  std::size_t size = chain.size();
  add_array("process", size, [&](std::size_t i) {
    return std::optional<std::int64_t>(number_of(chain[i].process));
  });
  add_array("at", size, [&](std::size_t i) {
    return std::optional<std::int64_t>(since_begin(chain[i].begin));
  });
  add_array("duration", size,
            [&](std::size_t i) { return std::optional<std::int64_t>(chain[i].duration.count()); });
  line_.raw("}");
}

// Names of the signals, errors and users that occur.
void TimelineData::add_names() {
  auto add = [this](const char* key, const std::map<std::uint32_t, std::string>& names) {
    add_key(key);
    line_.raw("{");
    first_key_ = true;
    for (const auto& [number, name] : names) {
      add_key(fmt::format("{}", number));
      line_.string(name);
    }
    line_.raw("}");
    first_key_ = false;
  };
  std::map<std::uint32_t, std::string> names;
  for (int signal : signals_) {
    names.emplace(signal, signal_name(signal));
  }
  add("signals", names);
  names.clear();
  for (int error : errors_) {
    names.emplace(error, errno_name(error));
  }
  add("errors", names);
  names.clear();
  Users users = run_.users;
  for (Index process : processes_) {
    std::uint32_t uid = run_.processes[process].uid;
    if (users.knows(uid) && !names.contains(uid)) {
      names.emplace(uid, users.name(uid));
    }
  }
  add("users", names);
}

// Processes that started so long before the recording that their start is rounded there.
void TimelineData::add_exact_starts() {
  add_key("exact_starts");
  line_.raw("{");
  first_key_ = true;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    const RunProcess& process = run_.processes[processes_[i]];
    if (std::abs(since_begin(process.start())) >= exact_most) {
      add_key(fmt::format("{}", i));
      line_.string(fmt::format("{}", process.id.start_ns));
    }
  }
  line_.raw("}");
  first_key_ = false;
}

void TimelineData::write(const std::vector<TimelineSegment>& chain,
                         const std::function<void(std::string_view)>& use) {
  use_ = &use;
  line_.clear();
  line_.raw("{");
  first_key_ = true;
  add_head();
  add_processes();
  add_execs();
  add_identities();
  add_senders();
  add_losses();
  add_chain(chain);
  add_names();
  add_exact_starts();
  add_array("texts", texts_.size(),
            [this](std::size_t i) { return std::optional<std::int64_t>(texts_[i].size()); });
  line_.raw("}\n");
  use(line_.text());
  for (std::string_view text : texts_) {
    use(text);
  }
}

}  // namespace bpftrap
