// SPDX-License-Identifier: GPL-2.0-only
// What CO-RE relocations go by: the kernel's types, as far as an object needs them.
#pragma once

#include <bpf/libbpf.h>

#include <string>

#include "core/os/unique_fd.h"

namespace bpftrap {

// BTF of the running kernel.
inline constexpr const char* kernel_btf_path = "/sys/kernel/btf/vmlinux";

// A file that libbpf is told of when it opens an object, and that is filled when it is known what
// the object needs.
class RelocationBtf {
 public:
  // `source`: raw BTF or an ELF file with a section .BTF; "" for the running kernel's. Throws
  // Error.
  explicit RelocationBtf(std::string source);

  // Valid as long as this lives; for bpf_object_open_opts::btf_custom_path.
  const char* path() const { return path_.c_str(); }

  // Throws Error where the source cannot be read.
  void fill(const bpf_object* object);

 private:
  std::string source_;
  UniqueFd file_;
  std::string path_;
};

}  // namespace bpftrap
