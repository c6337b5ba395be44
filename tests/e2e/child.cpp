// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "e2e/failure.h"
#include "e2e/workloads.h"

namespace e2e {

const std::chrono::seconds patience = [] {
  const char* chosen = std::getenv("BPFTRAP_TEST_PATIENCE");
  return std::chrono::seconds(chosen != nullptr ? std::atoi(chosen) : 60);
}();

namespace {

std::uint64_t now(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

[[noreturn]] void fail(const std::string& step) {
  throw Failure(step + ": " + std::strerror(errno));
}

}  // namespace

std::uint64_t boot_ns_now() {
  return now(CLOCK_BOOTTIME);
}

std::uint64_t wall_ns_now() {
  return now(CLOCK_REALTIME);
}

std::uint64_t start_ticks(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  std::size_t end = text.rfind(')');
  if (end == std::string::npos) {
    throw Failure("a process of the test has no /proc/PID/stat");
  }
  std::istringstream rest(text.substr(end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) {
    rest >> field;
  }
  return std::stoull(field);
}

std::uint64_t to_ticks(std::uint64_t boot_ns) {
  return boot_ns / (1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

std::string status_of(pid_t pid, const std::string& name) {
  for (const std::string& line : lines_of_file("/proc/" + std::to_string(pid) + "/status")) {
    if (line.rfind(name + ":\t", 0) == 0) {
      return line.substr(name.size() + 2);
    }
  }
  return "";
}

const std::string& self_path() {
  static const std::string path = [] {
    char buffer[PATH_MAX];
    ssize_t size = ::readlink("/proc/self/exe", buffer, sizeof buffer);
    if (size <= 0) {
      fail("cannot read /proc/self/exe");
    }
    return std::string(buffer, static_cast<std::size_t>(size));
  }();
  return path;
}

Child::Child(const std::function<int()>& body) {
  pid_t test = ::getpid();
  ended_.before_fork = boot_ns_now();
  pid_ = ::fork();
  if (pid_ < 0) {
    fail("cannot fork");
  }
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != test) {
      ::_exit(127);
    }
    int code = 125;
    try {
      code = body();
    } catch (...) {  // must not unwind into the child's copy of googletest
    }
    ::_exit(code);
  }
  ended_.after_fork = boot_ns_now();
  ended_.pid = pid_;
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Child::kill(int signal) const {
  if (pid_ <= 0 || ::kill(pid_, signal) != 0) {
    fail("cannot send a signal to a process of the test");
  }
}

Ended Child::wait() {
  if (pid_ == 0) {
    return ended_;
  }
  int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd ready{pidfd, POLLIN, 0};
  int count = ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
  ::close(pidfd);
  if (count != 1) {
    throw Failure("a process of the test does not end");
  }
  ended_.after_end = boot_ns_now();
  ended_.start_ticks =
      start_ticks(pid_);  // still readable, because the zombie has not been waited for
  if (::wait4(pid_, &ended_.status, 0, &ended_.usage) != pid_) {
    fail("cannot wait for a process of the test");
  }
  pid_ = 0;
  return ended_;
}

ExecStrings::ExecStrings(std::vector<std::string> argv, const std::string& workload)
    : strings_(std::move(argv)), variable_(workload_variable + ("=" + workload)) {
  for (std::string& string : strings_) {
    argv_.push_back(string.data());
  }
  argv_.push_back(nullptr);
  if (!workload.empty()) {
    envp_.push_back(variable_.data());
  }
  envp_.push_back(nullptr);
}

int exec_argv(const std::string& path, const std::vector<std::string>& argv,
              const std::string& workload) {
  ExecStrings strings(argv, workload);
  ::execve(path.c_str(), strings.argv(), strings.envp());
  return 127;
}

int exec_self(const std::vector<std::string>& workload) {
  std::vector<std::string> argv{self_path(), "--workload"};
  argv.insert(argv.end(), workload.begin(), workload.end());
  return exec_argv(self_path(), argv, "");
}

Ended run_workload(const std::vector<std::string>& workload) {
  return Child([&] { return exec_self(workload); }).wait();
}

Gate::Gate() {
  if (::pipe2(fds_, O_CLOEXEC) != 0) {
    fail("cannot create a pipe");
  }
}

Gate::~Gate() {
  ::close(fds_[0]);
  if (fds_[1] >= 0) {
    ::close(fds_[1]);
  }
}

void Gate::wait() {
  ::close(fds_[1]);
  char byte = 0;
  while (::read(fds_[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

void Gate::open() {
  ::close(fds_[1]);
  fds_[1] = -1;
}

SharedWords::SharedWords() {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    fail("cannot map shared memory");
  }
  words_ = static_cast<volatile std::uint64_t*>(page);
}

SharedWords::~SharedWords() {
  ::munmap(const_cast<std::uint64_t*>(words_), 4096);
}

ScratchDir::ScratchDir() {
  const char* parent = std::getenv("TMPDIR");
  path_ = parent != nullptr && *parent != '\0' ? parent : "/tmp";
  ::mkdir(path_.c_str(), 01777);  // missing in a guest of tests/vm/
  path_ += "/bpftrap-e2e-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    fail("cannot create a directory in " + path_);
  }
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> lines_of_file(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

void sleep_for(std::chrono::nanoseconds time) {
  timespec left{static_cast<time_t>(time.count() / 1'000'000'000),
                static_cast<long>(time.count() % 1'000'000'000)};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace e2e
