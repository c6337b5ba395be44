// SPDX-License-Identifier: GPL-2.0-only
#include "bench/workload.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "e2e/failure.h"

namespace bench {

namespace {

constexpr int sources = 16;

double cpu_ns(const rusage& usage) {
  return 1e9 * static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e3 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

std::vector<std::string> two_kib_of_args() {
  return {std::string(1023, 'a'), std::string(1000, 'b')};
}

Arena::Arena() : tiny_(e2e::write_tiny_program(directory_)) {
  std::filesystem::copy_file(tiny_, probe());
  write_sources();
}

void Arena::write_sources() const {
  std::filesystem::create_directory(make_directory());
  std::ofstream makefile(make_directory() + "/Makefile");
  makefile << "all:";
  for (int i = 0; i < sources; ++i) {
    makefile << " f" << i << ".o";
    std::ofstream source(make_directory() + "/f" + std::to_string(i) + ".c");
    source << "#include <stdio.h>\nint f" << i << "(void) { return puts(\"f\"); }\n";
  }
  makefile << "\n%.o: %.c\n\t@cc -O1 -c -o $@ $<\n";
}

std::vector<Workload> Arena::workloads(std::uint64_t processes) const {
  std::string true_path = std::filesystem::exists("/bin/true") ? "/bin/true" : "/usr/bin/true";
  return {
      {.name = "pinned", .storm = {.processes = processes, .program = tiny_, .parents = 1}},
      {.name = "storm", .storm = {.processes = 2 * processes, .program = tiny_}},
      {.name = "argv",
       .storm = {.processes = processes, .program = tiny_, .args = two_kib_of_args()}},
      {.name = "true", .storm = {.processes = processes / 2, .program = true_path, .exit_code = 0}},
      {.name = "make", .storm = {}, .make = true},
  };
}

Outcome Arena::run(const Workload& workload, std::uint64_t fewer) const {
  std::uint64_t begin = e2e::boot_ns_now();
  auto wall = [begin] { return static_cast<double>(e2e::boot_ns_now() - begin); };
  if (workload.make) {
    e2e::Ended ended =
        e2e::Child([&] {
          ::setenv("CCACHE_DISABLE", "1", 1);
          ::execlp("make", "make", "-s", "-B", "-j2", "-C", make_directory().c_str(), nullptr);
          return 127;
        }).wait();
    if (ended.status != 0) {
      throw e2e::Failure("make has failed");
    }
    return {wall(), cpu_ns(ended.usage)};
  }
  e2e::StormOptions options = workload.storm;
  options.processes /= fewer;
  e2e::Storm storm = e2e::make_storm(options);
  if (storm.started != options.processes || storm.wrong_status != 0) {
    throw e2e::Failure("the workload " + workload.name + " failed");
  }
  // Time per process of a storm, so that storms of different length are comparable.
  double share = 1.0 / static_cast<double>(options.processes);
  return {wall() * share, static_cast<double>(storm.cpu.count()) * share};
}

HeldWorkload::HeldWorkload(const Arena& arena, const Workload& workload, std::uint64_t fewer)
    : child_([&, fewer] {
        gate_.wait();
        Outcome outcome = arena.run(workload, fewer);
        words_[0] = static_cast<std::uint64_t>(1000 * outcome.wall_ns);
        words_[1] = static_cast<std::uint64_t>(1000 * outcome.cpu_ns);
        return 0;
      }) {}

Outcome HeldWorkload::run() {
  gate_.open();
  if (child_.wait().status != 0) {
    throw e2e::Failure("the workload has failed");
  }
  return {static_cast<double>(words_[0]) / 1000, static_cast<double>(words_[1]) / 1000};
}

}  // namespace bench
