// SPDX-License-Identifier: GPL-2.0-only
// core/bpf/btf_subset.h: libbpf resolves relocations in the subset as in the whole BTF.
#include "core/bpf/btf_subset.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <stdexcept>

#include "core/os/unique_fd.h"

namespace bpftrap {
namespace {

using Btf = std::unique_ptr<btf, void (*)(btf*)>;
using Names = std::set<std::string_view>;

constexpr const char* vmlinux = "/sys/kernel/btf/vmlinux";

Btf parse(const std::string& raw) {
  return {btf__new(raw.data(), static_cast<__u32>(raw.size())), btf__free};
}

UniqueFd file_with(const std::string& content) {
  UniqueFd file(::memfd_create("btf", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return file;
}

std::string refused(const std::string& content, const Names& names = {"task_struct"}) {
  try {
    btf_subset(file_with(content).get(), names);
  } catch (const std::runtime_error& wrong) {
    return wrong.what();
  }
  return "(accepted)";
}

// Two structs and a typedef, written by libbpf.
std::string small_btf() {
  Btf all{btf__new_empty(), btf__free};
  int number = btf__add_int(all.get(), "int", 4, BTF_INT_SIGNED);
  int other = btf__add_struct(all.get(), "other", 4);
  btf__add_field(all.get(), "x", number, 0, 0);
  int pointer = btf__add_ptr(all.get(), other);
  btf__add_struct(all.get(), "task_struct", 16);
  btf__add_field(all.get(), "next", pointer, 0, 0);
  btf__add_field(all.get(), "inner", other, 64, 0);
  btf__add_typedef(all.get(), "not_asked_for", number);
  __u32 size = 0;
  const void* data = btf__raw_data(all.get(), &size);
  return {static_cast<const char*>(data), size};
}

TEST(BtfSubset, HoldsWhatWasAskedForAndWhatThatIsMadeOf) {
  Btf subset = parse(btf_subset(file_with(small_btf()).get(), {"task_struct", "missing"}));
  ASSERT_TRUE(subset);
  EXPECT_GT(btf__find_by_name_kind(subset.get(), "task_struct", BTF_KIND_STRUCT), 0);
  EXPECT_GT(btf__find_by_name_kind(subset.get(), "other", BTF_KIND_STRUCT), 0);
  EXPECT_LT(btf__find_by_name(subset.get(), "not_asked_for"), 0);
  // task_struct, its pointer to void, other, int
  EXPECT_EQ(btf__type_cnt(subset.get()), 1U + 4);
}

TEST(BtfSubset, FindsATypedefOfTheFileOnTheWay) {
  const std::string all = small_btf();
  Btf whole = parse(all);
  WantedType wanted{"not_asked_for", BTF_KIND_TYPEDEF};
  WantedType missing{"missing", BTF_KIND_TYPEDEF};
  WantedType no_typedef{"other", BTF_KIND_TYPEDEF};
  const std::string subset = btf_subset(file_with(all).get(), {"task_struct"}, {&wanted});
  EXPECT_EQ(static_cast<int>(wanted.id),
            btf__find_by_name_kind(whole.get(), "not_asked_for", BTF_KIND_TYPEDEF));
  EXPECT_EQ(subset, btf_subset(file_with(all).get(), {"task_struct"})) << "it is left out";
  btf_subset(file_with(all).get(), {"task_struct"}, {&missing});
  EXPECT_EQ(missing.id, 0U);
  btf_subset(file_with(all).get(), {"task_struct"}, {&no_typedef});
  EXPECT_EQ(no_typedef.id, 0U);
}

TEST(BtfSubset, FindsAFunctionOfThisKernelBesideATypedef) {
  if (::access(vmlinux, R_OK) != 0) {
    GTEST_SKIP() << "this kernel has no /sys/kernel/btf/vmlinux";
  }
  Btf whole{btf__parse_raw(vmlinux), btf__free};
  UniqueFd file(::open(vmlinux, O_RDONLY | O_CLOEXEC));
  WantedType function{"do_exit", BTF_KIND_FUNC};
  WantedType type{"btf_trace_signal_generate", BTF_KIND_TYPEDEF};
  WantedType no_function{"task_struct", BTF_KIND_FUNC};
  const Names names{"cred"};
  const std::string subset = btf_subset(file.get(), names, {&function, &type, &no_function});
  EXPECT_EQ(static_cast<int>(function.id),
            btf__find_by_name_kind(whole.get(), "do_exit", BTF_KIND_FUNC));
  EXPECT_EQ(static_cast<int>(type.id),
            btf__find_by_name_kind(whole.get(), "btf_trace_signal_generate", BTF_KIND_TYPEDEF));
  EXPECT_EQ(no_function.id, 0U);
  EXPECT_LT(btf__find_by_name(parse(subset).get(), "do_exit"), 0) << "it is left out";
}

TEST(BtfSubset, StructsOfThisKernelAreTheSame) {
  if (::access(vmlinux, R_OK) != 0) {
    GTEST_SKIP() << "this kernel has no /sys/kernel/btf/vmlinux";
  }
  const Names names{"task_struct", "signal_struct", "cred",    "kernfs_node",
                    "css_set",     "mm_struct",     "pt_regs", "btf_trace_sched_process_exit"};
  Btf whole{btf__parse_raw(vmlinux), btf__free};
  UniqueFd file(::open(vmlinux, O_RDONLY | O_CLOEXEC));
  const std::string raw = btf_subset(file.get(), names);
  EXPECT_LT(raw.size(), 200'000U);
  __u32 whole_size = 0;
  const auto* whole_data = static_cast<const char*>(btf__raw_data(whole.get(), &whole_size));
  // A kernel that can map its BTF takes another path, with the same result.
  EXPECT_EQ(btf_subset(file_with({whole_data, whole_size}).get(), names), raw);
  Btf subset = parse(raw);
  ASSERT_TRUE(whole && subset);
  for (std::string_view name : names) {
    const std::string text(name);
    int wanted = btf__find_by_name(whole.get(), text.c_str());
    int found = btf__find_by_name(subset.get(), text.c_str());
    ASSERT_GT(wanted, 0) << text;
    ASSERT_GT(found, 0) << text;
    const btf_type* from = btf__type_by_id(whole.get(), static_cast<__u32>(wanted));
    const btf_type* to = btf__type_by_id(subset.get(), static_cast<__u32>(found));
    EXPECT_EQ(from->info, to->info) << text;
    if (!btf_is_composite(from)) {
      continue;
    }
    EXPECT_EQ(from->size, to->size);
    for (int i = 0; i < btf_vlen(from); ++i) {
      const btf_member& one = btf_members(from)[i];
      const btf_member& other = btf_members(to)[i];
      EXPECT_STREQ(btf__str_by_offset(whole.get(), one.name_off),
                   btf__str_by_offset(subset.get(), other.name_off));
      EXPECT_EQ(one.offset, other.offset);
      EXPECT_EQ(btf__resolve_size(whole.get(), one.type),
                btf__resolve_size(subset.get(), other.type))
          << text << "." << btf__str_by_offset(whole.get(), one.name_off);
    }
  }
}

TEST(BtfSubset, AFunctionsParametersKeepTheirPointees) {
  Btf all{btf__new_empty(), btf__free};
  int task = btf__add_struct(all.get(), "task_struct", 4);
  int pointer = btf__add_ptr(all.get(), task);
  int function = btf__add_func_proto(all.get(), 0);
  btf__add_func_param(all.get(), "task", pointer);
  btf__add_typedef(all.get(), "btf_trace_x", btf__add_ptr(all.get(), function));
  __u32 size = 0;
  const auto* data = static_cast<const char*>(btf__raw_data(all.get(), &size));
  Btf subset = parse(btf_subset(file_with({data, size}).get(), {"btf_trace_x"}));
  ASSERT_TRUE(subset);
  EXPECT_GT(btf__find_by_name_kind(subset.get(), "task_struct", BTF_KIND_STRUCT), 0);
}

TEST(BtfSubset, AnEnumKeepsItsEnumeratorsOutsideOfStructs) {
  Btf all{btf__new_empty(), btf__free};
  int wanted = btf__add_enum(all.get(), "wanted", 4);
  btf__add_enum_value(all.get(), "one", 1);
  btf__add_enum_value(all.get(), "seven", 7);
  int other = btf__add_enum(all.get(), "other", 4);
  btf__add_enum_value(all.get(), "two", 2);
  btf__add_struct(all.get(), "task_struct", 8);
  btf__add_field(all.get(), "x", wanted, 0, 0);
  btf__add_field(all.get(), "y", other, 32, 0);
  __u32 size = 0;
  const auto* data = static_cast<const char*>(btf__raw_data(all.get(), &size));
  Btf subset = parse(btf_subset(file_with({data, size}).get(), {"wanted", "task_struct"}));
  ASSERT_TRUE(subset);
  int found = btf__find_by_name_kind(subset.get(), "wanted", BTF_KIND_ENUM);
  ASSERT_GT(found, 0);
  const btf_type* type = btf__type_by_id(subset.get(), static_cast<__u32>(found));
  ASSERT_EQ(btf_vlen(type), 2U);
  EXPECT_STREQ(btf__str_by_offset(subset.get(), btf_enum(type)[1].name_off), "seven");
  EXPECT_EQ(btf_enum(type)[1].val, 7);
  found = btf__find_by_name_kind(subset.get(), "other", BTF_KIND_ENUM);
  ASSERT_GT(found, 0);
  EXPECT_EQ(btf_vlen(btf__type_by_id(subset.get(), static_cast<__u32>(found))), 0U);
}

TEST(BtfSubset, NamesComeWithoutTheirFlavour) {
  Btf object{btf__new_empty(), btf__free};
  btf__add_struct(object.get(), "task_struct___old", 4);
  btf__add_int(object.get(), "int", 4, 0);
  btf__add_struct(object.get(), nullptr, 4);
  EXPECT_EQ(core_type_names(object.get()), Names{"task_struct"});
}

TEST(BtfSubset, WhatIsNoBtfOrDamagedIsRefused) {
  EXPECT_EQ(refused(""), "is not BTF in this machine's byte order");
  EXPECT_EQ(refused(std::string(100, 'x')), "is not BTF in this machine's byte order");
  const std::string whole = small_btf();
  EXPECT_EQ(refused(whole), "(accepted)");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refused(whole.substr(0, size)), "(accepted)") << size;
  }
  // The parser must end, whichever bytes are changed.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value : {0, 1, 0x7f, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      refused(changed);
    }
  }
}

}  // namespace
}  // namespace bpftrap
