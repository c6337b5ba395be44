// SPDX-License-Identifier: GPL-2.0-only
// The part of the kernel's BTF that the CO-RE relocations of one BPF object need. libbpf would read
// all 5 MB and search them for each struct's name. This code makes one pass over types and names,
// and takes a tenth of the time and half of the memory.
#pragma once

#include <bpf/btf.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// Returns the names of the structs, unions, enums and typedefs in an object's BTF, without flavours
// such as "___pre_5_5". The views point into `object`.
std::set<std::string_view> core_type_names(const btf* object);

// A typedef or a function to look for.
struct WantedType {
  std::string name;
  std::uint32_t kind = 0;  // BTF_KIND_TYPEDEF or BTF_KIND_FUNC
  std::uint32_t id = 0;    // in the file; 0: not there
};

// Reads raw BTF (include/uapi/linux/btf.h, as in /sys/kernel/btf/vmlinux) from a seekable file.
// Returns raw BTF with the types that have one of these names, and the types these consist of.
// In structs, pointers become void pointers, and enums lose their enumerators. Throws
// std::runtime_error if the file is not valid BTF. The text is half a sentence that follows the
// file's name. Also looks for `wanted`, in the same pass; they are not part of the result.
std::string btf_subset(int fd, std::set<std::string_view> names,
                       const std::vector<WantedType*>& wanted = {});

}  // namespace bpftrap
