// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/bpftrap.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "e2e/failure.h"
#include "e2e/guest.h"

namespace e2e {

namespace {

using Steady = std::chrono::steady_clock;

void execute(const std::vector<std::string>& args, const Bpftrap::Setup& setup, int errors_fd,
             int pipe_fd) {
  std::vector<std::string> strings = setup.launcher;
  strings.push_back(setup.launcher.empty() ? "bpftrap" : Bpftrap::binary());
  strings.insert(strings.end(), args.begin(), args.end());
  std::vector<std::string> environment = setup.environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::for_each(strings.begin(), strings.end(), [&](auto& arg) { argv.push_back(arg.data()); });
  std::for_each(environment.begin(), environment.end(),
                [&](auto& variable) { envp.push_back(variable.data()); });
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(setup.stdout_fd >= 0 ? setup.stdout_fd : pipe_fd, STDOUT_FILENO);
  ::dup2(errors_fd, STDERR_FILENO);
  ::close(null);
  if (setup.before_exec) {
    setup.before_exec();
  }
  const std::string& path = setup.launcher.empty() ? Bpftrap::binary() : setup.launcher.front();
  ::execve(path.c_str(), argv.data(), envp.data());
}

int create_errors_file() {
  int fd = static_cast<int>(::syscall(SYS_memfd_create, "errors", 1U /* MFD_CLOEXEC */));
  if (fd < 0) {
    throw Failure(std::string("cannot create a file in memory: ") + std::strerror(errno));
  }
  return fd;
}

// True if the output is a stream with `start` and `stop`. Reports as JSON have neither.
bool prints_stream(const std::vector<std::string>& args) {
  bool reports = !args.empty() && (args[0] == "why" || args[0] == "diff");
  return !reports && std::find(args.begin(), args.end(), "--json") != args.end();
}

}  // namespace

const std::string& Bpftrap::binary() {
  static const std::string path = [] {
    const char* variable = std::getenv("BPFTRAP_BIN");
    std::string chosen = variable != nullptr && *variable != '\0'
                             ? variable
                             : self_path().substr(0, self_path().rfind('/')) + "/bpftrap";
    if (::access(chosen.c_str(), X_OK) != 0) {
      std::fprintf(stderr, "cannot execute %s: set BPFTRAP_BIN to the bpftrap to test\n",
                   chosen.c_str());
      std::exit(2);
    }
    return chosen;
  }();
  return path;
}

Bpftrap::Bpftrap(const std::vector<std::string>& args, const Setup& setup)
    : json_(prints_stream(args)), may_lose_(setup.may_lose), errors_fd_(create_errors_file()) {
  if (setup.stdout_fd < 0 && ::pipe2(pipe_, O_CLOEXEC) != 0) {
    throw Failure(std::string("cannot create a pipe: ") + std::strerror(errno));
  }
  child_.emplace([&] {
    execute(args, setup, errors_fd_, pipe_[1]);
    return 127;
  });
  if (pipe_[1] >= 0) {
    ::close(pipe_[1]);
    ::fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
  }
}

Bpftrap::~Bpftrap() {
  close_reader();
  ::close(errors_fd_);
}

void Bpftrap::close_reader() {
  if (pipe_[0] >= 0) {
    ::close(pipe_[0]);
    pipe_[0] = -1;
  }
}

bool Bpftrap::read_for(std::chrono::milliseconds time) {
  if (pipe_[0] < 0) {
    return false;
  }
  pollfd ready{pipe_[0], POLLIN, 0};
  ::poll(&ready, 1, static_cast<int>(time.count()));
  static char buffer[1 << 16];
  ssize_t size = ::read(pipe_[0], buffer, sizeof buffer);
  if (size > 0) {
    output_.append(buffer, static_cast<std::size_t>(size));
    parse_lines();
  }
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

void Bpftrap::keep_reading(std::chrono::milliseconds time) {
  Steady::time_point end = Steady::now() + time;
  for (auto left = time; left > left.zero();) {
    if (!read_for(left)) {
      return;
    }
    left = std::chrono::ceil<std::chrono::milliseconds>(end - Steady::now());
  }
}

void Bpftrap::parse_lines() {
  if (!json_) {
    return;
  }
  for (std::size_t end; (end = output_.find('\n', parsed_)) != std::string::npos;) {
    records_.push_back(Record::parse(std::string_view(output_).substr(parsed_, end - parsed_)));
    parsed_ = end + 1;
  }
}

void Bpftrap::await(const std::function<bool()>& done) {
  Steady::time_point deadline = Steady::now() + patience;
  while (!done()) {
    if (!read_for(std::chrono::milliseconds(100))) {
      throw Failure("bpftrap ended too early; its messages: " + errors());
    }
    if (Steady::now() > deadline) {
      throw Failure("bpftrap does not write the expected output; its messages: " + errors());
    }
  }
}

void Bpftrap::await_start() {
  await([this] { return json_ ? !records_.empty() : output_.find('\n') != std::string::npos; });
  if (json_ && records_.front().kind() != "start") {
    throw Failure("the first record is not of the kind start");
  }
}

int Bpftrap::stop(int signal) {
  child_->kill(signal);
  return wait();
}

int Bpftrap::wait() {
  Steady::time_point deadline = Steady::now() + patience;
  while (read_for(std::chrono::milliseconds(100))) {
    if (Steady::now() > deadline) {
      throw Failure("bpftrap does not end; its messages: " + errors());
    }
  }
  int status = child_->wait().status;
  if (json_ && pipe_[0] >= 0 && !output_.empty()) {
    check_stream();
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Bpftrap::check_stream() const {
  if (parsed_ != output_.size()) {
    throw Failure("the last line of the stream is incomplete");
  }
  std::uint64_t written = 0;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    std::string kind = records_[i].kind();
    if ((i == 0) != (kind == "start") || (i + 1 == records_.size()) != (kind == "stop")) {
      throw Failure("start or stop is in the wrong place in the stream");
    }
    written += kind == "fork" || kind == "exec" || kind == "exit" || kind == "hello" ? 1 : 0;
  }
  const Record& stop = records_.back();
  std::uint64_t lost = 0;
  for (const Record& record : records_) {
    lost += record.kind() == "lost" ? record.number("count") : 0;
  }
  if (stop.number("lost") != lost) {
    throw Failure("stop says " + std::to_string(stop.number("lost")) + " lost, the lines say " +
                  std::to_string(lost));
  }
  if (lost != 0 && !may_lose_ && !lost_is_a_maximum()) {
    throw Failure(std::to_string(stop.number("lost")) + " records were lost");
  }
  if (stop.number("records") != written) {
    throw Failure("stop says " + std::to_string(stop.number("records")) +
                  " records, but there are " + std::to_string(written));
  }
}

std::vector<std::string> Bpftrap::lines() const {
  std::vector<std::string> all;
  std::size_t begin = 0;
  for (std::size_t end; (end = output_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    all.push_back(output_.substr(begin, end - begin));
  }
  return all;
}

std::string Bpftrap::errors() const {
  std::string text(1 << 16, '\0');
  ssize_t size = ::pread(errors_fd_, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

bool is_about(const Record& record, const Ended& process) {
  return record.has("id") && record.has("pid") &&
         record.number("pid") == static_cast<std::uint64_t>(process.pid) &&
         to_ticks(record.start_ns()) == process.start_ticks;
}

std::vector<Record> Bpftrap::records_of(const Ended& process, const std::string& kind) const {
  std::vector<Record> found;
  std::copy_if(records_.begin(), records_.end(), std::back_inserter(found), [&](const Record& r) {
    return is_about(r, process) && (kind.empty() || r.kind() == kind);
  });
  return found;
}

Record Bpftrap::record_of(const Ended& process, const std::string& kind) const {
  std::vector<Record> found = records_of(process, kind);
  if (found.size() != 1) {
    throw Failure("a process of the test has " + std::to_string(found.size()) +
                  " records of the kind " + kind + " instead of one");
  }
  return found.front();
}

Outcome run_bpftrap(const std::vector<std::string>& args, const Bpftrap::Setup& setup) {
  Bpftrap bpftrap(args, setup);
  int status = bpftrap.wait();
  return {status, bpftrap.output(), bpftrap.errors()};
}

std::uint64_t wall_ns_of(const Record& record) {
  std::string ts = record.text("ts");
  tm time{};
  const char* rest = ::strptime(ts.c_str(), "%Y-%m-%dT%H:%M:%S.", &time);
  char* end = nullptr;
  std::uint64_t ns = rest != nullptr ? std::strtoull(rest, &end, 10) : 0;
  if (rest == nullptr || end != rest + 9 || std::string_view(end) != "Z") {
    throw Failure("a ts is not RFC 3339 with nanoseconds: " + ts);
  }
  return static_cast<std::uint64_t>(::timegm(&time)) * 1'000'000'000U + ns;
}

std::string missing_privilege() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  ::syscall(SYS_capget, &header, data);
  auto has = [&](unsigned number) {
    return ((data[number / 32].effective >> (number % 32)) & 1U) != 0;
  };
  bool enough = has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON));
  return enough ? "" : "needs CAP_BPF and CAP_PERFMON, or root";
}

}  // namespace e2e
