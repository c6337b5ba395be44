// SPDX-License-Identifier: GPL-2.0-only
#include "fleet/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "core/recording/recorded.h"
#include "core/recording/writer.h"

namespace bpftrap::fleet {

namespace {

constexpr std::uint32_t host_pid_ns = 4026531836;

template <class Wire>
std::string text_of(const Wire& wire, std::string_view data = {}) {
  std::string text(reinterpret_cast<const char*>(&wire), sizeof wire);
  return text.append(data);
}

template <std::size_t Size>
void copy_name(char (&to)[Size], std::string_view name) {
  name.copy(to, Size - 1);
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1, BPFTRAP_COMM_SIZE - 1);
}

// The data of an exec record, and the lengths of its parts.
class ExecData {
 public:
  explicit ExecData(bpftrap_exec_event& event) : event_(event) {}

  void add_path(int which, std::string_view name, std::uint8_t kind = BPFTRAP_PATH_REACHED) {
    event_.paths[which] = {static_cast<__u16>(name.size()), kind, 0};
    text_ += name;
  }
  void add_socket(int which, std::uint64_t inode) {
    add_path(which, {reinterpret_cast<const char*>(&inode), sizeof inode}, BPFTRAP_PATH_SOCKET);
  }
  void add_command(const Command& command) {
    const std::string& filename = command.filename.empty() ? command.exe : command.filename;
    event_.filename_len = static_cast<__u16>(filename.size() + 1);
    text_.append(filename).push_back('\0');
    if (!command.interp.empty()) {
      event_.interp_len = static_cast<__u16>(command.interp.size() + 1);
      text_.append(command.interp).push_back('\0');
    }
    std::size_t before = text_.size();
    for (const std::string& arg : command.args) {
      text_.append(arg).push_back('\0');
    }
    event_.args_size = text_.size() - before;
    event_.args_len = static_cast<__u32>(event_.args_size);
  }
  const std::string& text() const { return text_; }

 private:
  bpftrap_exec_event& event_;
  std::string text_;
};

bpftrap_sender sender(const Process& process, std::uint64_t start) {
  bpftrap_sender wire{};
  if (process.pid != 0) {
    wire.start_boot_ns = start;
    wire.pid = wire.local_pid = process.pid;
    copy_name(wire.comm, process.comm);
  }
  return wire;
}

BootTime boot_time(std::uint64_t ns) {
  return BootTime(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
}

// Execs of one process share it: its end has the arguments of the last one.
std::uint32_t exec_id_of(const Process& process) {
  return static_cast<std::uint32_t>(process.start / 1000);
}

// The names from the cgroup up, each with its NUL.
std::string names_of(std::string_view path) {
  std::string names;
  while (!path.empty()) {
    std::size_t slash = path.rfind('/');
    names.append(path.substr(slash + 1)).push_back('\0');
    path = path.substr(0, slash);
  }
  return names;
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

Host::Host(std::string name, std::uint64_t seed, Time boot)
    : name_(std::move(name)), random_(seed), boot_(boot) {}

Process Host::resident(std::string comm) {
  return {++last_pid_, boot_ + second + static_cast<Time>(last_pid_) * ms, std::move(comm)};
}

std::uint64_t Host::cgroup(const std::string& path) {
  return cgroups_.try_emplace(path, cgroups_.size() + 10).first->second;
}

bpftrap_process Host::identity(const Process& process, const Process& parent,
                               const Surroundings& around) {
  bpftrap_process wire{};
  wire.start_boot_ns = boot_ns(process.start);
  wire.parent_start_boot_ns = boot_ns(parent.start);
  wire.cgroup_id = cgroup(around.cgroup);
  wire.pid = wire.local_pid = wire.ns_pid = process.pid;
  wire.ppid = wire.local_ppid = parent.pid;
  wire.uid = wire.euid = wire.gid = wire.egid = around.uid;
  wire.login_uid = around.login_uid;
  wire.audit_session = around.session;
  wire.session_id = wire.process_group = parent.pid;
  wire.pid_ns_inode = host_pid_ns;
  copy_name(wire.comm, process.comm);
  copy_name(wire.parent_comm, parent.comm);
  copy_name(wire.tty, around.tty);
  return wire;
}

bpftrap_record_header Host::header(std::uint8_t kind, std::size_t fixed, std::size_t data,
                                   Time time) {
  return {static_cast<__u32>(fixed + data), static_cast<__u16>(fixed), BPFTRAP_WIRE_VERSION, kind,
          boot_ns(time)};
}

Process Host::fork(Time time, const Process& parent, const Surroundings& around) {
  last_pid_ = last_pid_ < 4'000'000 ? last_pid_ + 1 : 1000;
  Process child{last_pid_, time, parent.comm};
  bpftrap_fork_event event{};
  event.header = header(BPFTRAP_RECORD_FORK, sizeof event, 0, time);
  event.process = identity(child, parent, around);
  event.creator_pid = parent.pid;
  event.creator_start_boot_ns = boot_ns(parent.start);
  event.flags = BPFTRAP_FORK_WANTED;
  add(time, text_of(event));
  return child;
}

void Host::exec(Time time, Process& process, const Process& parent, const Surroundings& around,
                const Command& command) {
  if (command.error == 0) {
    process.comm = base_name(command.filename.empty() ? command.exe : command.filename);
  }
  bpftrap_exec_event event{};
  event.process = identity(process, parent, around);
  if (command.gets_privileges) {
    event.process.euid = 0;
    event.flags = BPFTRAP_EXEC_SECURE;
  }
  event.cap_effective = event.process.euid == 0 ? 0x1fffeffffff : 0;
  event.error = command.error;
  event.exec_id = exec_id_of(process);
  ExecData data(event);
  data.add_path(BPFTRAP_PATH_EXE, command.interp.empty() ? command.exe : command.interp);
  data.add_path(BPFTRAP_PATH_CWD, "/");
  if (command.in_socket != 0) {
    data.add_socket(BPFTRAP_PATH_STDIN, command.in_socket);
  } else {
    data.add_path(BPFTRAP_PATH_STDIN, "/dev/null");
  }
  data.add_command(command);
  event.header = header(BPFTRAP_RECORD_EXEC, sizeof event, data.text().size(), time);
  add(time, text_of(event, data.text()));
}

void Host::end(Time time, const Process& process, const Process& parent, const Surroundings& around,
               const End& end) {
  bpftrap_exit_event event{};
  event.header = header(BPFTRAP_RECORD_EXIT, sizeof event, 0, time);
  event.process = identity(process, parent, around);
  event.wait_status = static_cast<__u32>(end.wait_status);
  event.flags = BPFTRAP_EXIT_IO_COUNTED | BPFTRAP_EXIT_EXECUTED | BPFTRAP_EXIT_PEAK_KNOWN |
                BPFTRAP_EXIT_WAIT_KNOWN | (end.out_of_memory ? BPFTRAP_EXIT_OOM_VICTIM : 0U);
  event.runtime_ns = static_cast<__u64>(end.cpu) + random_.below(ms);
  event.utime_ns = event.runtime_ns / 3 * 2;
  event.stime_ns = event.runtime_ns / 3;
  event.run_delay_ns = random_.below(ms);
  event.max_rss_pages = event.peak_rss_pages = end.memory_pages + random_.below(64);
  event.io_read_bytes = random_.one_in(4) ? 4096 * random_.below(32) : 0;
  event.minor_faults = 80 + random_.below(40);
  event.voluntary_switches = 1 + random_.below(5);
  event.involuntary_switches = random_.below(3);
  event.killer = sender(end.killer, boot_ns(end.killer.start));
  event.last_sender = sender(end.last_sender, boot_ns(end.last_sender.start));
  event.last_signal = static_cast<__u32>(end.last_signal);
  event.last_boot_ns = end.last_signal != 0 ? boot_ns(time - 2 * ms) : 0;
  event.exec_id = exec_id_of(process);
  add(time, text_of(event));
}

Process Host::run(Time time, Time duration, const Process& parent, const Surroundings& around,
                  const Command& command, const End& ending) {
  Process process = fork(time, parent, around);
  Time executed = time + 150'000 + static_cast<Time>(random_.below(100'000));
  exec(executed, process, parent, around, command);
  end(std::max(executed + 100'000, time + duration), process, parent, around, ending);
  return process;
}

void Host::lose(Time time, std::uint64_t records) {
  LossRecord loss{boot_time(boot_ns(time)), {}, 0};
  loss.lost.records[BPFTRAP_RECORD_EXIT] = records;
  add(time, encode(loss));
  ++losses_;
  lost_ += records;
}

std::string Host::recording(Time until) {
  std::erase_if(events_, [until](const auto& event) { return event.first >= until; });
  std::string out;
  WallClock clock = WallClock::recorded();
  clock.restart_with(boot_);
  RecordingWriter writer({out, clock, random_.next()});
  BootTime live = boot_time(2'000'000'000);
  std::uint64_t upper = random_.next();
  std::uint64_t lower = random_.next();
  std::string boot_id =
      fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", upper >> 32, upper >> 16 & 0xffff,
                  upper & 0xfff, lower >> 52, lower & 0xffff'ffff'ffff);
  writer.add(encode(
      HostRecord{{4096}, 8, host_pid_ns, true, name_, boot_id, "6.1.0-28-amd64", "0.1.0"}, live));
  writer.add(encode(ClockRecord{live, boot_}));
  writer.add(encode(RunRecord{live, false, false, "record"}));
  for (const auto& [path, id] : cgroups_) {
    std::string names = names_of(path);
    bpftrap_cgroup_event event{};
    event.header = header(BPFTRAP_RECORD_CGROUP, sizeof event, names.size(), boot_ + 2 * second);
    event.id = id;
    event.names_len = static_cast<__u32>(names.size());
    writer.add(text_of(event, names));
  }
  std::stable_sort(events_.begin(), events_.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  for (const auto& [time, record] : events_) {
    writer.add(record);
  }
  writer.add(encode(StopRecord{boot_time(boot_ns(until)), records(), lost_}));
  writer.close_batch();
  return out;
}

}  // namespace bpftrap::fleet
