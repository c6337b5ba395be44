// SPDX-License-Identifier: GPL-2.0-only
// The encoding of types in BTF (include/uapi/linux/btf.h).
#pragma once

#include <linux/btf.h>

#include <array>
#include <cstdint>
#include <initializer_list>

namespace bpftrap {

// Kinds that older versions of linux/btf.h lack.
inline constexpr std::uint32_t kind_decl_tag = 17;
inline constexpr std::uint32_t kind_type_tag = 18;
inline constexpr std::uint32_t kind_enum64 = 19;

inline std::uint32_t kind_of(const btf_type& type) {
  return BTF_INFO_KIND(type.info);
}

// Encoding of one kind: bytes of a type, bytes of each member, and if CO-RE finds the kind by name.
struct Kind {
  std::uint8_t size = 0;  // 0: unknown kind
  std::uint8_t part_size = 0;
  bool core_name = false;
};

// A table instead of a switch, because the kernel has 150,000 types.
inline constexpr auto kinds = [] {
  using Numbers = std::initializer_list<std::uint32_t>;
  constexpr std::uint8_t alone = sizeof(btf_type);
  std::array<Kind, 32> all{};
  for (std::uint32_t kind :
       Numbers{BTF_KIND_PTR, BTF_KIND_FWD, BTF_KIND_VOLATILE, BTF_KIND_CONST, BTF_KIND_RESTRICT,
               BTF_KIND_FUNC, BTF_KIND_FLOAT, kind_type_tag}) {
    all[kind] = {alone, 0};
  }
  for (std::uint32_t kind : Numbers{BTF_KIND_INT, BTF_KIND_VAR, kind_decl_tag}) {
    all[kind] = {alone + 4, 0};
  }
  all[BTF_KIND_ARRAY] = {alone + sizeof(struct btf_array), 0};
  all[BTF_KIND_FUNC_PROTO] = {alone, sizeof(btf_param)};
  all[BTF_KIND_DATASEC] = {alone, sizeof(btf_var_secinfo)};
  all[BTF_KIND_TYPEDEF] = {alone, 0, true};
  all[BTF_KIND_STRUCT] = all[BTF_KIND_UNION] = {alone, sizeof(btf_member), true};
  all[BTF_KIND_ENUM] = {alone, sizeof(struct btf_enum), true};
  all[kind_enum64] = {alone, 12, true};
  return all;
}();

inline std::uint32_t size_of(const btf_type& type) {
  const Kind& kind = kinds[kind_of(type)];
  return kind.size + static_cast<std::uint32_t>(BTF_INFO_VLEN(type.info)) * kind.part_size;
}

}  // namespace bpftrap
