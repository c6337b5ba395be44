// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/report.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>

#include "core/analysis/died/words.h"
#include "core/output/table_writer.h"
#include "core/record/process_fields.h"
#include "core/record/signal_name.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

std::string command_of(const Relative& process) {
  std::string text;
  if (process.args) {
    append_command_line(text, *process.args, process.args_truncated);
  } else {
    text = "[" + terminal_safe(process.comm) + "]";
  }
  return text;
}

class Report {
 public:
  Report(const Death& death, const DeathLook& look)
      : death_(death), exit_(death.exit()), look_(look) {}

  void write_headline();
  void write_facts(const WallClock& clock, const DeathSurroundings& around);
  void write_origins();
  void write_failures();
  void write_history(const WallClock& clock, const DeathAfterwards& afterwards);
  std::string take() { return std::move(out_); }

 private:
  TableLook table_look() const { return {.color = look_.color, .gap = 2, .limit = look_.columns}; }
  std::string moment(const WallClock& clock, BootTime time) const;
  void write_origin(const SignalOrigin& origin);
  static void add_process(MeasuredTable& table, const Relative& process, Style style);
  void add_memory(MeasuredTable& facts, const DeathSurroundings& around) const;
  void add_program(MeasuredTable& facts) const;
  std::string parents() const;

  const Death& death_;
  const ExitRecord& exit_;
  DeathLook look_;
  std::string out_;
};

std::string Report::moment(const WallClock& clock, BootTime time) const {
  TimestampFormatter formatter(
      look_.utc ? TimestampFormatter::Zone::utc : TimestampFormatter::Zone::local, true);
  std::string text;
  formatter.append_time_of_day(text, clock.to_wall(time));
  return text;
}

void Report::write_headline() {
  append_styled(out_, headline(death_), exit_.wait_status != 0 ? Style::failure : Style::success,
                look_.color);
  out_ += "\n\n";
}

std::string Report::parents() const {
  std::string text;
  for (const Relative& one : death_.ancestors.members) {
    text += text.empty() ? "" : " < ";
    text += label(one);
  }
  text += death_.ancestors.more ? " < …" : "";
  return text;
}

void Report::add_memory(MeasuredTable& facts, const DeathSurroundings& around) const {
  if (!exit_.oom_killed) {
    return;
  }
  std::string text = fmt::format("it had up to {}", human_size(largest_rss(exit_)));
  if (around.limit) {
    text += fmt::format("; the limit of {} is {} ({})", terminal_safe(around.limit->cgroup),
                        human_size(around.limit->bytes), terminal_safe(around.limit->file));
  } else if (around.has_limits) {
    text += "; its cgroup is gone or has no limit, so the machine may have been out of memory";
  }
  facts.cell("memory");
  facts.cell(std::move(text));
}

void Report::add_program(MeasuredTable& facts) const {
  if (exit_.args) {
    std::string command;
    append_command_line(command, exit_.args->bytes, exit_.args->truncated);
    facts.cell("command");
    facts.cell(std::move(command));
  }
  if (exit_.cwd) {
    facts.cell("directory");
    facts.cell(terminal_safe(*exit_.cwd));
  }
}

void Report::write_facts(const WallClock& clock, const DeathSurroundings& around) {
  MeasuredTable facts({{"", 10}, {}});
  facts.cell("ended");
  facts.cell(fmt::format("{}, {} after its start", moment(clock, exit_.time),
                         human_duration(exit_.duration)));
  // The table of origins has the sender.
  std::string status = status_text(exit_.wait_status, exit_.oom_killed);
  if (std::string meaning = status_meaning(death_); !meaning.empty()) {
    status += ": " + meaning;
  }
  facts.cell("status");
  facts.cell(std::move(status), exit_.wait_status != 0 ? Style::failure : Style::plain);
  if (WCOREDUMP(exit_.wait_status) && around.core) {
    facts.cell("core");
    facts.cell(terminal_safe(*around.core));
  }
  add_memory(facts, around);
  add_program(facts);
  if (death_.user) {
    facts.cell("user");
    facts.cell(terminal_safe(*death_.user));
  }
  if (exit_.process.container_id) {
    facts.cell("container");
    facts.cell(std::string(exit_.process.container_id->substr(0, 12)));
  }
  if (exit_.process.unit) {
    facts.cell("unit");
    facts.cell(terminal_safe(*exit_.process.unit));
  }
  if (exit_.oom_killed && exit_.process.cgroup) {
    facts.cell("cgroup");
    facts.cell(terminal_safe(*exit_.process.cgroup));
  }
  facts.cell("parents");
  facts.cell(parents());
  facts.write(out_, table_look());
}

void Report::add_process(MeasuredTable& table, const Relative& process, Style style) {
  table.cell(std::to_string(process.shown_pid()));
  table.cell(process.user ? terminal_safe(*process.user) : "-");
  table.cell(command_of(process), style);
}

void Report::write_origin(const SignalOrigin& origin) {
  out_ += fmt::format("\n{} came from\n", signal_name(origin.signal));
  MeasuredTable table({{"PID", 7, Align::right}, {"USER", 8}, {"COMMAND"}});
  for (std::size_t i = 0; i < origin.lineage.members.size(); ++i) {
    add_process(table, origin.lineage.members[i],
                i == origin.responsible ? Style::warning : Style::plain);
  }
  if (origin.lineage.more) {
    table.cell("…");
    table.cell("");
    table.cell("");
  }
  table.write(out_, table_look());
  if (!origin.requests.empty()) {
    out_ += fmt::format("\n{} may have been asked by\n", label(origin.lineage.members.front()));
    MeasuredTable requests({{"PID", 7, Align::right}, {"USER", 8}, {"COMMAND"}});
    for (const Relative& request : origin.requests) {
      add_process(requests, request, Style::warning);
    }
    requests.write(out_, table_look());
  }
}

void Report::write_origins() {
  if (death_.killer) {
    write_origin(*death_.killer);
  } else if (death_.last) {
    write_origin(*death_.last);
  }
  if (death_.reported && death_.reported->killer) {
    write_origin(*death_.reported->killer);
  }
  if (death_.end.namespace_end) {
    const ExitRecord& init = death_.end.namespace_end->record();
    std::string status;
    append_status(status, init);
    out_ += fmt::format("\n{} ended {} before, with {}: bpftrap why died {}-{}\n",
                        label(init.process), human_duration(exit_.time - init.time), status,
                        init.process.id.pid, init.process.id.start_ns);
  }
}

void Report::write_failures() {
  if (!death_.missing.empty()) {
    out_ += "\nprograms that could not be executed\n";
    MeasuredTable table({{"BEFORE", 7, Align::right}, {"ERROR", 6}, {"PROGRAM", 8}, {"TRIED BY"}});
    for (const MissingProgram& missing : death_.missing) {
      table.cell(human_duration(missing.before));
      table.cell(missing.error, Style::failure);
      table.cell(terminal_safe(missing.name) +
                 (missing.attempts > 1 ? fmt::format(" ({} paths)", missing.attempts) : ""));
      table.cell(label(missing.process) + " " + command_of(missing.process));
    }
    table.write(out_, table_look());
  }
  if (!death_.failed.empty()) {
    out_ +=
        fmt::format("\ndescendants that failed in the last {}\n", human_duration(failures_before));
    MeasuredTable table(
        {{"BEFORE", 7, Align::right}, {"PID", 7, Align::right}, {"STATUS", 6}, {"COMMAND"}});
    for (const FailedChild& failed : death_.failed) {
      table.cell(human_duration(failed.before));
      table.cell(std::to_string(failed.process.shown_pid()));
      table.cell(
          failed.status + (failed.killer ? " from " + label(responsible(*failed.killer)) : ""),
          Style::failure);
      table.cell(command_of(failed.process));
    }
    table.write(out_, table_look());
    if (std::size_t earlier = death_.failed_count - death_.failed.size(); earlier > 0) {
      out_ += fmt::format("and {} before them\n", earlier);
    }
  }
}

void Report::write_history(const WallClock& clock, const DeathAfterwards& afterwards) {
  out_ += '\n';
  MeasuredTable facts({{"", 10}, {}});
  facts.cell("recently");
  facts.cell(history_text(death_.history), death_.history.loop ? Style::failure : Style::plain);
  for (const LivingMatch& living : afterwards.living) {
    BootTime start(nanoseconds(static_cast<std::int64_t>(living.id.start_ns)));
    if (start >= exit_.time) {
      facts.cell("now");
      facts.cell(fmt::format(
          "{} runs since {}",
          process_label(living.comm, living.local_pid != 0 ? living.local_pid : living.id.pid),
          moment(clock, start)));
      break;
    }
  }
  if (death_.lost > 0) {
    facts.cell("doubt");
    facts.cell(lost_text(death_.lost), Style::warning);
  }
  facts.write(out_, table_look());
}

}  // namespace

std::string death_report(const Death& death, const DeathSurroundings& around,
                         const DeathAfterwards& afterwards, const WallClock& clock,
                         const DeathLook& look) {
  Report report(death, look);
  report.write_headline();
  report.write_facts(clock, around);
  report.write_origins();
  report.write_failures();
  report.write_history(clock, afterwards);
  return report.take();
}

}  // namespace bpftrap
