// SPDX-License-Identifier: GPL-2.0-only
// The part of a kernel's BTF that the CO-RE relocations of one BPF object look at. libbpf would
// read all of it (5 MB) and search it for the name of each struct; this reads the types once and
// the names in passing, in a tenth of the time and half of the memory.
#pragma once

#include <bpf/btf.h>

#include <set>
#include <string>
#include <string_view>

namespace bpftrap {

// Names of the structs, unions, enums and typedefs in an object's BTF, without flavours
// ("task_struct___pre_5_5"), as views into it.
std::set<std::string_view> core_type_names(const btf* object);

// Reads raw BTF (include/uapi/linux/btf.h), as /sys/kernel/btf/vmlinux has it, from a descriptor
// that can be read at any offset. Returns raw BTF of the types that have one of these names, and of
// what these are made of: pointers in structs lead to void, enumerators are left out. Throws
// std::runtime_error, whose text goes behind the file's name, where it is no BTF that this knows.
std::string btf_subset(int fd, const std::set<std::string_view>& names);

}  // namespace bpftrap
