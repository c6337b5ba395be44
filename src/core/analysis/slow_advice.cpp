// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/analysis/slow_findings.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t name_columns = 44;

class Advice {
 public:
  explicit Advice(const SlowFacts& facts) : f_(facts) {}

  std::vector<std::string> sentences() {
    say_losses();
    say_waiting();
    say_serial();
    say_blocked();
    say_many();
    say_repeated();
    say_lookups();
    say_polling();
    say_pipes();
    say_servers();
    return std::move(lines_);
  }

 private:
  void say_losses();
  void say_waiting();
  void say_serial();
  void say_stretch(const Parallelism::Stretch& stretch);
  void say_blocked();
  void say_many();
  void say_repeated();
  void say_lookups();
  void say_polling();
  void say_pipes();
  void say_servers();
  // A part of the run that is worth a sentence.
  nanoseconds worth() const { return f_.path.wall() / 50; }
  std::string share(nanoseconds part) const {
    double whole = std::max(1.0, static_cast<double>(f_.path.wall().count()));
    return fmt::format("{} ({:.0f}%)", human_duration(part),
                       100 * static_cast<double>(part.count()) / whole);
  }

  const SlowFacts& f_;
  std::vector<std::string> lines_;
};

void Advice::say_losses() {
  RunLoss all;
  for (const RunLoss& loss : f_.run.losses) {
    all.forks += loss.forks;
    all.execs += loss.execs;
    all.failed_execs += loss.failed_execs;
    all.ends += loss.ends;
    all.others += loss.others;
  }
  auto say = [&](std::uint64_t count, const std::string& lost, std::string_view doubt) {
    if (count > 0) {
      lines_.push_back(fmt::format("{} lost: {}", lost, doubt));
    }
  };
  say(all.ends, counted(all.ends, "end was", "ends were"),
      "time in those processes counts for their parents, and CPU time is missing");
  say(all.forks, counted(all.forks, "fork was", "forks were"),
      "those processes may have another parent here than they had");
  say(all.execs, counted(all.execs, "exec was", "execs were"),
      "those processes have the name of an earlier program");
}

void Advice::say_waiting() {
  nanoseconds waiting{};
  for (const Segment& segment : f_.path.segments) {
    waiting += segment.cpu_wait;
  }
  if (waiting < f_.path.wall() / 20) {
    return;
  }
  std::string times = fmt::format(
      "at best {} instead of {}, because the chain waited {} for a CPU, and all processes {}",
      human_duration(f_.path.wall() - waiting), human_duration(f_.path.wall()), share(waiting),
      human_duration(f_.totals.cpu_wait));
  double wanted = f_.parallelism.wanted(static_cast<double>(f_.totals.cpus));
  double got = static_cast<double>(f_.totals.cpu.count()) /
               std::max(1.0, static_cast<double>(f_.path.wall().count()));
  constexpr double little = 0.75;
  if (got < little * wanted) {
    lines_.push_back(
        fmt::format("a machine without other work: the run got {:.1f} of the {:.1f} "
                    "CPUs that it could use; {}",
                    got, wanted, times));
  } else {
    lines_.push_back("more CPUs: " + times);
  }
}

void Advice::say_stretch(const Parallelism::Stretch& stretch) {
  constexpr double nothing = 0.2;
  std::string when = "from " + human_duration(stretch.begin - f_.path.begin) + " on";
  if (stretch.begin - f_.path.begin < worth()) {
    when = "at the start";
  }
  if (f_.path.end - stretch.end < worth()) {
    when = "at the end";
  }
  if (stretch.duration() > f_.path.wall() / 10 * 9) {
    when = "of the run";
  }
  Index busiest = Parallelism::busiest(f_.run, f_.members, stretch.begin, stretch.end);
  std::string who = busiest == no_index ? "" : f_.names.of(busiest, name_columns);
  if (stretch.running < nothing || who.empty()) {
    lines_.push_back(
        fmt::format("more parallelism: {} {} nearly nothing ran", share(stretch.duration()), when));
  } else {
    lines_.push_back(fmt::format("more parallelism: {} {} one process at a time ran, most of it {}",
                                 share(stretch.duration()), when, who));
  }
}

void Advice::say_serial() {
  constexpr std::size_t most = 3;
  if (f_.totals.cpus < 2 || f_.members.size() < 3) {
    return;
  }
  nanoseconds least = std::max<nanoseconds>(worth(), std::chrono::milliseconds(20));
  std::vector<Parallelism::Stretch> found = f_.parallelism.serial_stretches(least);
  found.resize(std::min(found.size(), most));
  nanoseconds shown{};
  for (const Parallelism::Stretch& stretch : found) {
    shown += stretch.duration();
  }
  // Many short stretches, as those of a script, add up.
  std::vector<double> shares = f_.parallelism.shares(2);
  nanoseconds serial =
      f_.path.wall() - nanoseconds(static_cast<std::int64_t>(
                           shares[2] * static_cast<double>(f_.path.wall().count())));
  constexpr double much = 0.3;
  if (shares[1] > much && serial > 2 * shown) {
    lines_.push_back(
        fmt::format("more parallelism: {} at most one process at a time ran, in many "
                    "short stretches",
                    share(serial)));
    return;
  }
  for (const Parallelism::Stretch& stretch : found) {
    say_stretch(stretch);
  }
}

void Advice::say_blocked() {
  nanoseconds blocked{};
  const Segment* most = nullptr;
  for (const Segment& segment : f_.path.segments) {
    if (segment.unknown) {
      continue;
    }
    blocked += segment.blocked();
    if (most == nullptr || segment.blocked() > most->blocked()) {
      most = &segment;
    }
  }
  if (most == nullptr || blocked < f_.path.wall() / 10) {
    return;
  }
  lines_.push_back(fmt::format(
      "less blocking: the chain slept {}, which is disk, network, locks or sleep; "
      "longest {} in {}",
      share(blocked), human_duration(most->blocked()), f_.names.of(*most, name_columns)));
}

// A script that starts a process for each of many small tasks.
void Advice::say_many() {
  constexpr std::uint64_t least = 100;
  constexpr std::chrono::milliseconds short_most{10};
  for (const ProgramTime& program : times_by_program(f_.run, f_.members, f_.path)) {
    if (program.processes >= least && program.on_path >= f_.path.wall() / 10 &&
        program.on_path / program.processes < short_most) {
      lines_.push_back(fmt::format("fewer processes: {} times {}, {} of the chain",
                                   program.processes, terminal_safe(program.name),
                                   share(program.on_path)));
    }
  }
}

void Advice::say_repeated() {
  constexpr std::size_t most = 2;
  nanoseconds least = std::max<nanoseconds>(worth(), std::chrono::milliseconds(1));
  std::vector<Repeated> found = repeated_commands(f_.run, f_.members, least);
  found.resize(std::min(found.size(), most));
  for (const Repeated& repeated : found) {
    lines_.push_back(fmt::format("less repetition: {} times the same, {} in all: {}",
                                 repeated.times, human_duration(repeated.duration),
                                 f_.names.of(*repeated.exec, name_columns)));
  }
}

void Advice::say_lookups() {
  FailedLookups found = failed_lookups(f_.run, f_.members);
  constexpr std::uint64_t least = 10;
  if (found.count < least) {
    return;
  }
  std::string which = found.of_name == found.count ? "" : fmt::format("{} ", found.of_name);
  lines_.push_back(fmt::format("fewer lookups: {} execs of files that do not exist, {}such as {}",
                               found.count, which, terminal_safe(found.example)));
}

void Advice::say_polling() {
  Polling polling = find_polling(f_.run, f_.path);
  if (polling.process == no_index || polling.delay < worth()) {
    return;
  }
  lines_.push_back(
      fmt::format("{} seems to poll: after the end of a child it slept on, {} times, {} in all",
                  f_.names.of(polling.process, name_columns), polling.times, share(polling.delay)));
}

void Advice::say_pipes() {
  constexpr std::size_t most = 2;
  std::vector<std::string> said;
  for (const Pipe& pipe : find_pipes(f_.run, f_.members, f_.path, worth())) {
    if (said.size() == most) {
      break;
    }
    std::string reader = f_.names.of(pipe.reader, name_columns / 2);
    std::string line =
        pipe.writer == no_index
            ? reader + " may be part of a pipeline: record --stdio tells who feeds it"
            : fmt::format("pipeline: {} feeds {}, so either may have been the slow one",
                          f_.names.of(pipe.writer, name_columns / 2), reader);
    // A script may run one pipeline many times.
    if (std::find(said.begin(), said.end(), line) == said.end()) {
      said.push_back(std::move(line));
    }
  }
  lines_.insert(lines_.end(), said.begin(), said.end());
}

void Advice::say_servers() {
  std::vector<std::string_view> clients = clients_of_servers(f_.run, f_.members);
  if (clients.empty()) {
    return;
  }
  std::string names;
  for (std::string_view client : clients) {
    names += (names.empty() ? "" : ", ") + std::string(client);
  }
  lines_.push_back(fmt::format(
      "not seen: work that {} may have left to a server or a cache outside the tree", names));
}

}  // namespace

std::vector<std::string> slow_advice(const SlowFacts& facts) {
  return Advice(facts).sentences();
}

}  // namespace bpftrap
