// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/storm.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "e2e/failure.h"

namespace e2e {

// Set once per run. Forked processes inherit it.
const unsigned storm_uid = 1'900'000'000U + static_cast<unsigned>(::getpid());
const std::string storm_user = std::to_string(storm_uid);

namespace {

// exit(7) in machine code.
#if defined(__x86_64__)
constexpr unsigned char code[] = {0xbf, 7,   0, 0, 0,  // mov $7, %edi
                                  0xb8, 60,  0, 0, 0,  // mov $60, %eax
                                  0x0f, 0x05};         // syscall
constexpr Elf64_Half machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned char code[] = {0xe0, 0x00, 0x80, 0xd2,   // mov x0, #7
                                  0xa8, 0x0b, 0x80, 0xd2,   // mov x8, #93
                                  0x01, 0x00, 0x00, 0xd4};  // svc #0
constexpr Elf64_Half machine = EM_AARCH64;
#else
#error "add the machine code of this processor here"
#endif

constexpr int exit_code = 7;

// Runs in the memory of its parent, which waits for execve() or the end.
[[noreturn]] void be_a_drop(const char* program, char* const* argv) {
  ::syscall(SYS_setuid, storm_uid);  // sets this thread only, whereas libc signals all threads
  if (program != nullptr) {
    char* envp[] = {nullptr};
    ::execve(program, argv, envp);
    ::_exit(126);  // differs from every program's status, so a failed exec is not taken for a lost
                   // record
  }
  ::_exit(exit_code);
}

// A separate function, because vfork() may clobber local variables.
pid_t start_drop(const char* program, char* const* argv) {
  pid_t pid = ::vfork();
  if (pid == 0) {
    be_a_drop(program, argv);
  }
  return pid;
}

void run_parent(const StormOptions& options, int cpu, std::uint64_t processes, SharedWords& counts,
                std::size_t slot) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
  const char* program = options.program.empty() ? nullptr : options.program.c_str();
  std::vector<char*> argv{const_cast<char*>(program)};
  for (const std::string& arg : options.args) {
    argv.push_back(const_cast<char*>(arg.c_str()));
  }
  argv.push_back(nullptr);
  for (std::uint64_t i = 0; i < processes; ++i) {
    pid_t pid = start_drop(program, argv.data());
    int status = 0;
    if (pid < 0 || ::waitpid(pid, &status, 0) != pid) {
      return;
    }
    counts[slot] = counts[slot] + 1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != options.exit_code) {
      counts[slot + 1] = counts[slot + 1] + 1;
    }
    if (options.pause_every != 0 && (i + 1) % options.pause_every == 0) {
      sleep_for(std::chrono::milliseconds(10));
    }
  }
}

std::chrono::nanoseconds cpu_time(const rusage& usage) {
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

std::string write_tiny_program(const ScratchDir& directory) {
  constexpr Elf64_Addr base = 0x400000;
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = machine;
  header.e_version = EV_CURRENT;
  header.e_entry = base + sizeof header + sizeof segment;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof segment;
  header.e_phnum = 1;
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = base;
  segment.p_filesz = segment.p_memsz = sizeof header + sizeof segment + sizeof code;
  segment.p_align = 0x1000;
  std::string image;
  image.append(reinterpret_cast<const char*>(&header), sizeof header);
  image.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  image.append(reinterpret_cast<const char*>(code), sizeof code);
  std::string path = directory / "tiny";
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
  bool written = ::write(fd, image.data(), image.size()) == static_cast<ssize_t>(image.size());
  ::close(fd);
  // Other users must be able to execute it, whatever this process's umask is.
  if (!written || ::chmod(path.c_str(), 0755) != 0 ||
      ::chmod(directory.path().c_str(), 0755) != 0) {
    throw Failure("cannot write " + path);
  }
  return path;
}

Storm make_storm(const StormOptions& options) {
  SharedWords counts;
  std::vector<Child> parents;
  std::uint64_t cpus = options.parents;
  if (cpus == 0) {
    cpus = static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  }
  for (std::uint64_t cpu = 0; cpu < cpus; ++cpu) {
    std::uint64_t share = options.processes / cpus + (cpu < options.processes % cpus ? 1 : 0);
    parents.emplace_back([&, cpu, share] {
      run_parent(options, static_cast<int>(cpu), share, counts, 2 * cpu);
      return 0;
    });
  }
  Storm storm;
  for (Child& parent : parents) {
    storm.cpu += cpu_time(parent.wait().usage);  // includes the children that it waited for
  }
  for (std::uint64_t cpu = 0; cpu < cpus; ++cpu) {
    storm.started += counts[2 * cpu];
    storm.wrong_status += counts[2 * cpu + 1];
  }
  return storm;
}

Storm make_storm(std::uint64_t processes, const std::string& program, std::uint64_t pause_every) {
  return make_storm({.processes = processes, .program = program, .pause_every = pause_every});
}

}  // namespace e2e
