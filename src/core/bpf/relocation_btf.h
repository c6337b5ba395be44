// SPDX-License-Identifier: GPL-2.0-only
// The kernel types that CO-RE relocations need.
#pragma once

#include <bpf/libbpf.h>

#include <string>
#include <vector>

#include "core/bpf/btf_subset.h"
#include "core/os/error.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

// The kernel's own BTF cannot be read. core/doctor/explain.h finds the cause.
class BtfError : public Error {
 public:
  using Error::Error;
};

// Raw BTF of the running kernel.
inline constexpr const char* kernel_btf_path = "/sys/kernel/btf/vmlinux";

// A memory file with BTF for libbpf. libbpf learns the path when it opens an object; fill() writes
// the file afterwards, when the object's types are known.
class RelocationBtf {
 public:
  // `source` is raw BTF, or an ELF file with a .BTF section. Empty means the running kernel's BTF.
  // Throws Error if the memory file cannot be created.
  explicit RelocationBtf(std::string source);

  // Path for bpf_object_open_opts::btf_custom_path, valid during the lifetime of this object.
  const char* path() const { return path_.c_str(); }

  // Writes the types that `object` needs. Throws Error if the source cannot be read or is not BTF.
  // Looks up `wanted` in the source, too.
  void fill(const bpf_object* object, const std::vector<WantedType*>& wanted = {});

 private:
  std::string source_;
  UniqueFd file_;
  std::string path_;
};

}  // namespace bpftrap
