// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/facts.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>

#include "core/bpf/kernel_features.h"
#include "core/bpf/memlock.h"
#include "core/bpf/relocation_btf.h"
#include "core/os/file.h"
#include "core/os/pid_namespace.h"
#include "core/os/proc_cgroup.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

bool is_mounted(const char* directory, long magic) {
  struct statfs system {};
  return ::statfs(directory, &system) == 0 && system.f_type == magic;
}

// Returns false if /proc is not mounted.
bool in_other_user_namespace() {
  constexpr ino_t initial = 0xEFFFFFFD;  // PROC_USER_INIT_INO of include/linux/proc_ns.h
  struct stat status {};
  return ::stat("/proc/self/ns/user", &status) == 0 && status.st_ino != initial;
}

std::optional<int> read_number(const char* path) {
  std::string text = read_file(path).value_or("");
  int number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) {
    return std::nullopt;
  }
  return number;
}

void gather_privileges(Facts& facts) {
  facts.euid = ::geteuid();
  facts.effective = get_capabilities().value_or(Capabilities{}).effective;
  facts.bounding = 0;
  for (unsigned number = 0; number < capability_numbers; ++number) {
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) {
      facts.bounding |= set_of(Capability{number});
    }
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  facts.open_files_limit = files.rlim_cur;
  facts.proc = is_mounted("/proc", PROC_SUPER_MAGIC);
  facts.user_namespace = in_other_user_namespace();
  facts.pid_namespace = own_pid_namespace() == PidNamespace::other;
  parse_status(read_file("/proc/self/status").value_or(""), facts);
  std::array<char, PATH_MAX> path;
  if (ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size()); size > 0) {
    facts.executable.assign(path.data(), static_cast<std::size_t>(size));
  }
}

Trial try_map(bpf_map_type type, std::uint32_t key_size, std::uint32_t entries) {
  UniqueFd map(::bpf_map_create(type, "bpftrap_trial", key_size, key_size, entries, nullptr));
  return {map ? 0 : errno, {}};
}

// Loads `return 0` and checks if the kernel compiled it.
std::optional<bool> try_jit() {
  const std::array<bpf_insn, 2> program{
      bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  UniqueFd fd(::bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "bpftrap_trial", "GPL", program.data(),
                              program.size(), nullptr));
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (fd && ::bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0) {
    return info.jited_prog_len != 0;
  }
  // This file exists in the initial network namespace only (net/core/sysctl_net_core.c).
  std::optional<int> enabled = read_number("/proc/sys/net/core/bpf_jit_enable");
  return enabled ? std::optional<bool>(*enabled != 0) : std::nullopt;
}

void gather_bpf(Facts& facts) {
  raise_memlock_limit();
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  facts.memlock_limit = limit.rlim_cur;
  facts.memlock_charged = !facts.at_least(5, 11) && charges_memlock();
  facts.bpf = try_map(BPF_MAP_TYPE_ARRAY, 4, 1);
  facts.ring_buffer =
      try_map(BPF_MAP_TYPE_RINGBUF, 0, static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)));
  facts.task_storage = facts.bpf.worked() ? kernel_has_task_storage() : facts.at_least(5, 12);
  facts.jit = try_jit();
  facts.lockdown = parse_lockdown(read_file("/sys/kernel/security/lockdown").value_or(""));
  facts.unprivileged_bpf_disabled = read_number("/proc/sys/kernel/unprivileged_bpf_disabled");
}

// Tracepoints that exec and exit attach to (src/bpf/process.bpf.c).
constexpr std::array<const char*, 5> tracepoints{
    "btf_trace_sched_process_exec", "btf_trace_sched_process_exit", "btf_trace_sched_process_fork",
    "btf_trace_signal_generate", "btf_trace_cgroup_release"};

// Returns the number of parameters of the tracepoint's prototype without the first one (void *), or
// -1 if the tracepoint does not exist.
int count_parameters(const btf* types, const char* tracepoint) {
  int id = ::btf__find_by_name_kind(types, tracepoint, BTF_KIND_TYPEDEF);
  const btf_type* type = id > 0 ? ::btf__type_by_id(types, static_cast<__u32>(id)) : nullptr;
  for (; type != nullptr && !btf_is_func_proto(type); type = ::btf__type_by_id(types, type->type)) {
    if (!btf_is_typedef(type) && !btf_is_ptr(type)) {
      return -1;
    }
  }
  return type != nullptr ? static_cast<int>(btf_vlen(type)) - 1 : -1;
}

void gather_btf(Facts& facts) {
  facts.sysfs = is_mounted("/sys", SYSFS_MAGIC);
  struct stat status {};
  if (::access(kernel_btf_path, R_OK) != 0 || ::stat(kernel_btf_path, &status) != 0) {
    return;
  }
  facts.btf_bytes = static_cast<std::uint64_t>(status.st_size);
  std::unique_ptr<btf, void (*)(btf*)> types(::btf__load_vmlinux_btf(), ::btf__free);
  if (!types) {
    return;
  }
  for (const char* tracepoint : tracepoints) {
    if (count_parameters(types.get(), tracepoint) < 0) {
      facts.no_tracepoints.push_back(std::string_view(tracepoint).substr(10));
    }
  }
  // Since 6.16 (task, group_dead): src/bpf/compat.bpf.h.
  facts.group_dead = count_parameters(types.get(), "btf_trace_sched_process_exit") == 2;
}

}  // namespace

std::string parse_lockdown(std::string_view text) {
  std::size_t begin = text.find('[');
  std::size_t end = text.find(']');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return {};
  }
  return std::string(text.substr(begin + 1, end - begin - 1));
}

void parse_status(std::string_view proc_status, Facts& facts) {
  facts.no_new_privs = proc_status.find("\nNoNewPrivs:\t1") != std::string_view::npos;
  // 2 is a filter (SECCOMP_MODE_FILTER).
  facts.seccomp = proc_status.find("\nSeccomp:\t2") != std::string_view::npos;
}

void parse_release(std::string_view release, Facts& facts) {
  facts.release = release;
  facts.version = parse_kernel_version(facts.release);
}

Facts gather_facts() {
  Facts facts;
  utsname names{};
  ::uname(&names);
  parse_release(names.release, facts);
  gather_privileges(facts);
  gather_bpf(facts);
  gather_btf(facts);
  facts.cgroup2 = is_in_cgroup2(read_file("/proc/self/cgroup").value_or(""));
  return facts;
}

}  // namespace bpftrap
