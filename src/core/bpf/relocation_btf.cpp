// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/relocation_btf.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

UniqueFd memory_file() {
  UniqueFd file(static_cast<int>(::syscall(SYS_memfd_create, "bpftrap-btf", MFD_CLOEXEC)));
  if (!file) {
    throw Error("cannot create a memory file (memfd_create)", errno);
  }
  return file;
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size != 0) {
    ssize_t count = ::write(fd, data, size);
    if (count < 0) {
      throw Error("cannot write to a memory file", errno);
    }
    data += count;
    size -= static_cast<std::size_t>(count);
  }
}

// Returns a memory file with the raw BTF of an ELF file, such as vmlinux.
UniqueFd extract(const std::string& path) {
  std::unique_ptr<btf, void (*)(btf*)> parsed(btf__parse_elf(path.c_str(), nullptr), btf__free);
  __u32 size = 0;
  const void* data = parsed ? btf__raw_data(parsed.get(), &size) : nullptr;
  if (data == nullptr) {
    throw Error(fmt::format("{} has no BTF", path), errno,
                "use this kernel's vmlinux after `pahole -J`, or a file with its BTF (--btf)");
  }
  UniqueFd file = memory_file();
  write_all(file.get(), static_cast<const char*>(data), size);
  return file;
}

UniqueFd open_btf(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && path == kernel_btf_path) {
    throw BtfError(fmt::format("cannot read the kernel's BTF from {}", path), errno);
  }
  if (!file) {
    throw Error(
        fmt::format("cannot read the kernel's BTF from {}", path), errno,
        "run a kernel built with CONFIG_DEBUG_INFO_BTF=y, as in most distributions since 5.10, or "
        "use a file with this kernel's BTF (--btf FILE)");
  }
  char magic[4] = {};
  return ::pread(file.get(), magic, sizeof magic, 0) == sizeof magic &&
                 std::string_view(magic, sizeof magic) ==
                     "\x7f"
                     "ELF"
             ? extract(path)
             : std::move(file);
}

}  // namespace

RelocationBtf::RelocationBtf(std::string source)
    : source_(source.empty() ? kernel_btf_path : std::move(source)),
      file_(memory_file()),
      path_(fmt::format("/proc/self/fd/{}", file_.get())) {}

void RelocationBtf::fill(const bpf_object* object, const std::vector<WantedType*>& wanted) {
  UniqueFd input = open_btf(source_);
  std::string subset;
  try {
    subset = btf_subset(input.get(), core_type_names(bpf_object__btf(object)), wanted);
  } catch (const std::runtime_error& wrong) {
    throw Error(fmt::format("{} {}", source_, wrong.what()), 0,
                "use a file with this kernel's BTF (--btf FILE)");
  }
  write_all(file_.get(), subset.data(), subset.size());
}

}  // namespace bpftrap
