// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/background_load.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <exception>
#include <thread>
#include <utility>

#include "core/os/signals.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

// Programs that use GPL-only helpers need a compatible license. libbpf does not tell the object's.
constexpr const char* license = "Dual BSD/GPL";

constexpr std::array<bpf_insn, 2> empty_program{{
    {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},  // r0 = 0
    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
}};

// Copies what libbpf frees if the load of another program fails, and lets `data` point to the copy.
std::vector<std::byte> keep(const void*& data, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  std::vector<std::byte> copy(bytes, bytes + size);
  data = copy.data();  // does not move with the vector
  return copy;
}

}  // namespace

struct BackgroundLoad::Job {
  Job(bpf_program* to_load, const bpf_prog_load_opts& from);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() { wait(); }

  void wait() {
    if (thread.joinable()) {
      thread.join();
    }
  }

  bpf_program* program;
  bpf_prog_type type;
  std::string name;
  std::vector<bpf_insn> instructions;
  bpf_prog_load_opts options;
  std::vector<std::byte> functions;
  std::vector<std::byte> lines;
  UniqueFd result;
  std::thread thread;
};

BackgroundLoad::Job::Job(bpf_program* to_load, const bpf_prog_load_opts& from)
    : program(to_load),
      type(bpf_program__type(to_load)),
      name(bpf_program__name(to_load)),
      instructions(bpf_program__insns(to_load),
                   bpf_program__insns(to_load) + bpf_program__insn_cnt(to_load)),
      options(from),
      functions(keep(options.func_info, std::size_t{from.func_info_cnt} * from.func_info_rec_size)),
      lines(keep(options.line_info, std::size_t{from.line_info_cnt} * from.line_info_rec_size)),
      thread([this] {
        result = UniqueFd(bpf_prog_load(type, name.c_str(), license, instructions.data(),
                                        instructions.size(), &options));
      }) {}

BackgroundLoad::BackgroundLoad(const std::vector<std::string>& hooks) : ProgramHandler(hooks) {}

BackgroundLoad::~BackgroundLoad() = default;

void BackgroundLoad::begin() {
  jobs_.clear();
  active_ = true;
}

bool BackgroundLoad::finish() {
  active_ = false;
  bool complete = true;
  for (std::unique_ptr<Job>& job : std::exchange(jobs_, {})) {
    job->wait();
    complete = complete && job->result &&
               ::dup3(job->result.get(), bpf_program__fd(job->program), O_CLOEXEC) >= 0;
  }
  return complete;
}

void BackgroundLoad::prepare(bpf_program* program, bpf_prog_load_opts& options) {
  if (!active_) {
    return;
  }
  BlockedSignals blocked;
  try {
    jobs_.push_back(std::make_unique<Job>(program, options));
  } catch (const std::exception&) {
    return;  // no thread or memory: libbpf loads the program itself
  }
  bpf_program__set_insns(program, const_cast<bpf_insn*>(empty_program.data()),
                         empty_program.size());
  options.func_info_cnt = 0;
  options.line_info_cnt = 0;
}

}  // namespace bpftrap
