// SPDX-License-Identifier: GPL-2.0-only
#include "core/timeline/timeline_data.h"

#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/os/version.h"
#include "core/process/cgroup_names.h"
#include "core/record/signal_name.h"

namespace bpftrap {

namespace {

using Number = std::optional<std::int64_t>;

Number size_of(const std::optional<std::uint64_t>& bytes) {
  return bytes ? Number(*bytes) : std::nullopt;
}

bool has_account(const RunProcess& process) {
  return process.end_recorded;
}

// True if the process did something during the recording. The recording has only the name of some
// others.
bool is_active(const RunProcess& process) {
  return process.ended || (!process.older && (process.born || process.first_exec != no_index));
}

}  // namespace

struct TimelineData::ProcessColumn {
  const char* key;
  Number (*get)(TimelineData& data, const RunProcess& process);
};

struct TimelineData::ExecColumn {
  const char* key;
  Number (*get)(TimelineData& data, const RunExec& exec);
};

TimelineData::TimelineData(const RecordedRun& run) : run_(run) {
  choose_processes();
  choose_execs();
}

void TimelineData::choose_processes() {
  std::vector<bool> chosen(run_.processes.size());
  for (std::size_t i = 0; i < run_.processes.size(); ++i) {
    if (!is_active(run_.processes[i])) {
      continue;
    }
    // Its ancestors, too, because they join what happened; but not those of PROGRAM.
    for (auto at = static_cast<Index>(i); at != no_index && !chosen[at];
         at = run_.processes[at].parent) {
      if (run_.has_program && !is_active(run_.processes[at])) {
        break;
      }
      chosen[at] = true;
    }
  }
  numbers_.resize(run_.processes.size(), no_index);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) {
      numbers_[i] = static_cast<std::uint32_t>(processes_.size());
      processes_.push_back(static_cast<Index>(i));
    }
  }
}

void TimelineData::choose_execs() {
  for (Index process : processes_) {
    std::uint32_t count = 0;
    for (Index at = run_.processes[process].first_exec; at != no_index; at = run_.execs[at].next) {
      execs_.push_back(at);
      ++count;
    }
    counts_.push_back(count);
  }
}

std::int64_t TimelineData::number_of(Index process) const {
  if (process == no_index || numbers_[process] == no_index) {
    return -1;
  }
  return numbers_[process];
}

std::int64_t TimelineData::number_of(TextId text) {
  if (text == TextId::none) {
    return -1;
  }
  auto at = static_cast<std::size_t>(text);
  if (at >= text_numbers_.size()) {
    text_numbers_.resize(std::max(at + 1, text_numbers_.size() * 2));
  }
  if (text_numbers_[at] == 0) {
    texts_.push_back(run_.text(text));
    text_numbers_[at] = static_cast<std::int32_t>(texts_.size());
  }
  return text_numbers_[at] - 1;
}

std::int64_t TimelineData::number_of_part(std::string_view text) {
  auto [known, is_new] = parts_.try_emplace(text, texts_.size());
  if (is_new) {
    texts_.push_back(text);
  }
  return known->second;
}

std::pair<std::int64_t, std::int64_t> TimelineData::parts_of_cgroup(TextId cgroup) {
  if (cgroup == TextId::none) {
    return {-1, -1};
  }
  auto [known, is_new] = cgroups_.try_emplace(static_cast<std::uint32_t>(cgroup), -1, -1);
  if (is_new) {
    std::string_view path = run_.text(cgroup);
    if (std::optional<std::string_view> unit = unit_of_cgroup(path)) {
      known->second.first = number_of_part(*unit);
    }
    if (std::optional<std::string_view> container = container_of_cgroup(path)) {
      known->second.second = number_of_part(*container);
    }
  }
  return known->second;
}

void TimelineData::flush() {
  constexpr std::size_t enough = std::size_t{64} << 10;
  if (line_.text().size() >= enough) {
    (*use_)(line_.text());
    line_.clear();
  }
}

void TimelineData::add_key(std::string_view key) {
  line_.raw(first_key_ ? "\"" : ",\"");
  line_.raw(key);
  line_.raw("\":");
  first_key_ = false;
}

void TimelineData::add_array(std::string_view key, std::size_t size,
                             const std::function<Number(std::size_t)>& get) {
  add_key(key);
  line_.raw("[");
  for (std::size_t i = 0; i < size; ++i) {
    line_.raw(i == 0 ? "" : ",");
    if (Number number = get(i)) {
      line_.number(*number);
    } else {
      line_.raw("null");
    }
    flush();
  }
  line_.raw("]");
}

const TimelineData::ProcessColumn TimelineData::process_columns[] = {
    {"pid", [](TimelineData&, const RunProcess& p) -> Number { return p.id.pid; }},
    {"local_pid", [](TimelineData&, const RunProcess& p) -> Number { return p.local_pid; }},
    {"ns_pid", [](TimelineData&,
                  const RunProcess& p) { return p.reported ? Number(p.ns_pid) : std::nullopt; }},
    {"duration",
     [](TimelineData&, const RunProcess& p) {
       return p.ended ? Number((p.end - p.start()).count()) : std::nullopt;
     }},
    {"parent",
     [](TimelineData& d, const RunProcess& p) -> Number { return d.number_of(p.parent); }},
    {"creator",
     [](TimelineData& d, const RunProcess& p) -> Number { return d.number_of(p.creator); }},
    {"end_parent",
     [](TimelineData& d, const RunProcess& p) -> Number { return d.number_of(p.end_parent); }},
    {"uid",
     [](TimelineData&, const RunProcess& p) { return p.reported ? Number(p.uid) : std::nullopt; }},
    {"comm", [](TimelineData& d, const RunProcess& p) -> Number { return d.number_of(p.comm); }},
    {"cgroup",
     [](TimelineData& d, const RunProcess& p) -> Number { return d.number_of(p.cgroup); }},
    {"unit",
     [](TimelineData& d, const RunProcess& p) -> Number {
       return d.parts_of_cgroup(p.cgroup).first;
     }},
    {"container",
     [](TimelineData& d, const RunProcess& p) -> Number {
       return d.parts_of_cgroup(p.cgroup).second;
     }},
    {"identity",
     [](TimelineData&, const RunProcess& p) {
       return p.identity == no_index ? Number(-1) : Number(p.identity);
     }},
    {"status",
     [](TimelineData& d, const RunProcess& p) {
       if (!has_account(p)) {
         return Number();
       }
       if (WIFSIGNALED(p.wait_status)) {
         d.signals_.insert(WTERMSIG(p.wait_status));
       }
       return Number(p.wait_status);
     }},
    {"oom_killed", [](TimelineData&, const RunProcess& p) -> Number { return p.oom_killed; }},
    {"older", [](TimelineData&, const RunProcess& p) -> Number { return p.older; }},
    {"parent_blocked",
     [](TimelineData&, const RunProcess& p) {
       return has_account(p) ? Number(p.at_end.blocked()) : std::nullopt;
     }},
    {"cpu_user",
     [](TimelineData&, const RunProcess& p) {
       return has_account(p) || p.cpu_final ? Number(p.cpu.user.count()) : std::nullopt;
     }},
    {"cpu_sys",
     [](TimelineData&, const RunProcess& p) {
       return has_account(p) || p.cpu_final ? Number(p.cpu.system.count()) : std::nullopt;
     }},
    {"cpu_wait",
     [](TimelineData&, const RunProcess& p) {
       return p.cpu_wait ? Number(p.cpu_wait->count()) : std::nullopt;
     }},
    {"max_rss",
     [](TimelineData&, const RunProcess& p) {
       return has_account(p) ? Number(p.max_rss_bytes) : std::nullopt;
     }},
    {"peak_rss",
     [](TimelineData&, const RunProcess& p) { return size_of(p.peak_rss_bytes.get()); }},
    {"io_read", [](TimelineData&,
                   const RunProcess& p) { return p.io ? Number(p.io->read_bytes) : std::nullopt; }},
    {"io_write",
     [](TimelineData&,
        const RunProcess& p) { return p.io ? Number(p.io->write_bytes) : std::nullopt; }},
    {"minor_faults",
     [](TimelineData&,
        const RunProcess& p) { return has_account(p) ? Number(p.minor_faults) : std::nullopt; }},
    {"major_faults",
     [](TimelineData&,
        const RunProcess& p) { return has_account(p) ? Number(p.major_faults) : std::nullopt; }},
    {"voluntary_switches",
     [](TimelineData&,
        const RunProcess&
            p) { return has_account(p) ? Number(p.voluntary_switches) : std::nullopt; }},
    {"involuntary_switches",
     [](TimelineData&,
        const RunProcess&
            p) { return has_account(p) ? Number(p.involuntary_switches) : std::nullopt; }},
};

const TimelineData::ExecColumn TimelineData::exec_columns[] = {
    {"at",
     [](TimelineData& d, const RunExec& e) {
       return e.older ? Number() : Number((e.time - d.run_.processes[e.process].start()).count());
     }},
    {"filename",
     [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.filename); }},
    {"exe", [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.exe); }},
    {"cwd", [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.cwd); }},
    {"args", [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.args); }},
    {"interp", [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.interp); }},
    {"stdin",
     [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.standard_files[0]); }},
    {"stdout",
     [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.standard_files[1]); }},
    {"stderr",
     [](TimelineData& d, const RunExec& e) -> Number { return d.number_of(e.standard_files[2]); }},
    {"error",
     [](TimelineData& d, const RunExec& e) -> Number {
       if (e.error != 0) {
         d.errors_.insert(e.error);
       }
       return e.error;
     }},
    {"truncated", [](TimelineData&, const RunExec& e) -> Number { return e.args_truncated; }},
    {"args_size",
     [](TimelineData&, const RunExec& e) {
       return e.args_size ? Number(*e.args_size) : std::nullopt;
     }},
    {"cap_effective",
     [](TimelineData&, const RunExec& e) {
       return e.filename == TextId::none ? std::nullopt : Number(e.cap_effective);
     }},
    {"secure", [](TimelineData&, const RunExec& e) -> Number { return e.secure; }},
    {"exe_deleted", [](TimelineData&, const RunExec& e) -> Number { return e.exe_deleted; }},
    {"cwd_deleted", [](TimelineData&, const RunExec& e) -> Number { return e.cwd_deleted; }},
};

void TimelineData::add_processes() {
  add_key("processes");
  line_.raw("{");
  first_key_ = true;
  // As differences, which are shorter.
  std::int64_t before = 0;
  add_array("start", processes_.size(), [&](std::size_t i) {
    std::int64_t start = since_begin(run_.processes[processes_[i]].start());
    std::int64_t difference = start - before;
    before = start;
    return Number(difference);
  });
  for (const ProcessColumn& column : process_columns) {
    add_array(column.key, processes_.size(),
              [&](std::size_t i) { return column.get(*this, run_.processes[processes_[i]]); });
  }
  add_array("execs", counts_.size(), [this](std::size_t i) { return Number(counts_[i]); });
  line_.raw("}");
}

void TimelineData::add_execs() {
  add_key("execs");
  line_.raw("{");
  first_key_ = true;
  for (const ExecColumn& column : exec_columns) {
    add_array(column.key, execs_.size(),
              [&](std::size_t i) { return column.get(*this, run_.execs[execs_[i]]); });
  }
  line_.raw("}");
}

void TimelineData::add_identities() {
  add_key("identities");
  line_.raw("{");
  first_key_ = true;
  auto add = [this](const char* key, auto get) {
    add_array(key, run_.identities.size(),
              [&](std::size_t i) { return Number(get(run_.identities[i])); });
  };
  auto of = [](const std::optional<std::uint32_t>& id) { return id ? Number(*id) : std::nullopt; };
  add("gid", [](const RunIdentity& i) { return i.gid; });
  add("euid", [](const RunIdentity& i) { return i.euid; });
  add("egid", [](const RunIdentity& i) { return i.egid; });
  add("login_uid", [&](const RunIdentity& i) { return of(i.login_uid); });
  add("audit_session", [&](const RunIdentity& i) { return of(i.audit_session); });
  add("session_id", [](const RunIdentity& i) { return i.session_id; });
  add("process_group", [](const RunIdentity& i) { return i.process_group; });
  add("pid_ns_inode", [](const RunIdentity& i) { return i.pid_ns_inode; });
  add("tty", [this](const RunIdentity& i) { return number_of(i.tty); });
  line_.raw("}");
}

void TimelineData::add_senders() {
  std::vector<Index> signalled;
  std::copy_if(processes_.begin(), processes_.end(), std::back_inserter(signalled),
               [this](Index process) { return run_.signals_of(process) != nullptr; });
  auto add = [&](const char* key, auto get) {
    add_array(key, signalled.size(),
              [&](std::size_t i) { return Number(get(*run_.signals_of(signalled[i]))); });
  };
  auto process = [this](const std::optional<RunSender>& sender) {
    return sender ? number_of(sender->process) : -1;
  };
  auto comm = [this](const std::optional<RunSender>& sender) {
    return sender ? number_of(sender->comm) : -1;
  };
  add_key("senders");
  line_.raw("{");
  first_key_ = true;
  add_array("process", signalled.size(),
            [&](std::size_t i) { return Number(number_of(signalled[i])); });
  add("killer", [&](const RunSignals& s) { return process(s.killer); });
  add("killer_comm", [&](const RunSignals& s) { return comm(s.killer); });
  add("last", [&](const RunSignals& s) { return process(s.last_sender); });
  add("last_comm", [&](const RunSignals& s) { return comm(s.last_sender); });
  add("last_signal", [&](const RunSignals& s) {
    if (s.last_signal != 0) {
      signals_.insert(s.last_signal);
    }
    return s.last_signal;
  });
  add("last_age", [](const RunSignals& s) { return s.last_age.count(); });
  line_.raw("}");
}

}  // namespace bpftrap
