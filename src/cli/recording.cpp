// SPDX-License-Identifier: GPL-2.0-only
#include "cli/recording.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/os/file.h"
#include "core/os/memory_limit.h"
#include "core/os/proc.h"
#include "core/os/proc_cgroup.h"
#include "core/os/version.h"
#include "core/recording/batch_units.h"
#include "core/recording/format.h"
#include "core/text/text.h"
#include "core/trace/sandbox.h"
#include "core/trace/tracer.h"

namespace bpftrap {

namespace {

// `12345` as `12,345`.
std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, 1, ',');
  }
  return text;
}

bool has_filters(const TraceOptions& options) {
  return !(options.pids.empty() && options.trees.empty() && options.uids.empty() &&
           options.cgroups.empty() && options.program.empty());
}

}  // namespace

bool is_recording(int fd) {
  std::array<char, sizeof recording_magic> begin{};
  ssize_t size = ::pread(fd, begin.data(), begin.size(), 0);
  return size == 0 || (size == static_cast<ssize_t>(begin.size()) &&
                       std::memcmp(begin.data(), recording_magic, begin.size()) == 0);
}

bool is_recording_file(const std::string& path) {
  // stat() first, because open() tells a writer to a FIFO that it has a reader.
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    return false;
  }
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file && is_recording(file.get());
}

namespace {

// An earlier recording may be put aside, unless its recorder still runs.
bool may_replace(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw Error(fmt::format("refuse to replace '{}'", path), 0,
                "another recorder writes to it: name another FILE with --output");
  }
  return is_recording(fd);
}

UniqueFd create_recording(const std::string& path, const std::optional<FileOwner>& owner) {
  UniqueFd file = create_output_file(
      path, owner, [&path](int fd) { return may_replace(fd, path); }, "recording");
  // A file system without locks is no reason to record nothing.
  [[maybe_unused]] int ignored = ::flock(file.get(), LOCK_EX | LOCK_NB);
  return file;
}

}  // namespace

RecordingTarget::RecordingTarget(const std::string& path, const DirectoryOptions* directory,
                                 const std::optional<FileOwner>& owner)
    : path_(directory != nullptr ? directory->path : path),
      // A crash of the machine costs no more than this.
      sync_interval_(directory != nullptr ? directory->sync : DirectoryOptions{}.sync) {
  if (directory != nullptr) {
    directory_ = std::make_unique<RecordingDirectory>(path_, directory->limits);
    output_ = std::make_unique<Output>(*directory_);
  } else {
    output_ = std::make_unique<Output>(create_recording(path_, owner), path_);
    output_->set_units(std::make_unique<BatchUnits>());
  }
}

FileSync::Calls RecordingTarget::sync_calls(int output_fd, bool no_sandbox) const {
  FileSync::Calls calls;
  if (RecordingDirectory* directory = directory_.get()) {
    calls = {[] {}, [directory] { directory->start_sync(); }, [directory] { directory->sync(); }};
  } else {
    calls = sync_of(output_fd);
  }
  if (!no_sandbox) {
    calls.confine = [] { enter_sandbox({}); };
  }
  return calls;
}

void RecordingTarget::complete(RecorderOptions& options) const {
  if (directory_) {
    options.directory = directory_.get();
    // The state at the beginning of a file leaves most of the file to records.
    options.state_bytes = std::min<std::size_t>(options.state_bytes, directory_->file_bytes() / 3);
  }
}

void RecordingTarget::complete(RecordingWriter::Setup& setup) const {
  if (directory_) {
    setup.file_bytes = directory_->file_bytes();
    setup.file_used = directory_->file_used();
  }
}

HostRecord this_host() {
  std::string cgroup = read_file("/proc/self/cgroup").value_or("");
  HostRecord host;
  host.machine = this_machine();
  host.cpus = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  host.has_cgroups = is_in_cgroup2(cgroup) || is_in_cgroup1(cgroup);
  host.bpftrap = version();
  return host;
}

std::uint64_t new_run_number(const WallClock& clock) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, GRND_NONBLOCK) < 0) {
    number = static_cast<std::uint64_t>(clock.now().ns);
  }
  return number;
}

RecorderOptions recorder_options(const TraceOptions& options, const bpftrap_scope& scope,
                                 const ProcessList& processes) {
  RecorderOptions recorder;
  recorder.host = this_host();
  recorder.filtered = has_filters(options);
  recorder.has_program = !options.program.empty();
  recorder.start_offset_ticks =
      static_cast<std::uint64_t>(proc_start_offset().count() / BPFTRAP_TICK_NS);
  for (const ListedProcess& process : processes.all()) {
    if (process.state != ListedProcess::State::ended) {
      recorder.older.push_back(
          {process.pid, process.parent, process.local_pid, process.start_ticks, process.comm});
    }
  }
  recorder.redaction = options.redaction;
  recorder.keep_births = scope.report_forks != 0;
  recorder.state_bytes = memory_share(recorder.state_bytes);
  return recorder;
}

std::chrono::nanoseconds recording_nap(std::uint32_t cpus) {
  constexpr std::uint32_t many_cpus = 16;
  constexpr std::uint32_t longest = 4;
  return TracerOptions().nap * std::clamp(many_cpus / std::max(cpus, 1U), 1U, longest);
}

std::string describe_recording(const RecordingTarget& target, const Recorder& recorder) {
  const std::string& path = target.path();
  std::string file = terminal_safe(path);
  std::string argument;
  if (path != default_recording) {
    argument = " ";
    append_shell_quoted(argument, path);
  }
  // The records of a directory are not those of one run.
  const char* next = target.is_directory() ? "show" : "why slow";
  return fmt::format("wrote {}: {} record{}, {} lost; next: bpftrap {}{}", file,
                     with_commas(recorder.records()), recorder.records() == 1 ? "" : "s",
                     with_commas(recorder.lost()), next, argument);
}

}  // namespace bpftrap
