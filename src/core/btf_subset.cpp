// SPDX-License-Identifier: GPL-2.0-only
#include "core/btf_subset.h"

#include <linux/btf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/input.h"

namespace bpftrap {

namespace {

// Kinds that older headers lack.
constexpr std::uint32_t kind_decl_tag = 17;
constexpr std::uint32_t kind_type_tag = 18;
constexpr std::uint32_t kind_enum64 = 19;

std::uint32_t kind_of(const btf_type& type) {
  return BTF_INFO_KIND(type.info);
}

// Bytes behind the type itself; -1 for a kind that is not known.
int tail_bytes(const btf_type& type) {
  int count = BTF_INFO_VLEN(type.info);
  switch (kind_of(type)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case kind_decl_tag:
      return 4;
    case BTF_KIND_ARRAY:
      return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return count * static_cast<int>(sizeof(btf_member));
    case BTF_KIND_ENUM:
      return count * static_cast<int>(sizeof(struct btf_enum));
    case kind_enum64:
      return count * 12;
    case BTF_KIND_FUNC_PROTO:
      return count * static_cast<int>(sizeof(btf_param));
    case BTF_KIND_DATASEC:
      return count * static_cast<int>(sizeof(btf_var_secinfo));
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case kind_type_tag:
      return 0;
    default:
      return -1;
  }
}

bool has_core_name(std::uint32_t kind) {
  return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
         kind == BTF_KIND_TYPEDEF || kind == kind_enum64;
}

// Whether a string may be one of some names: most others are told from them by their length and
// first byte.
class NameFilter {
 public:
  explicit NameFilter(const std::set<std::string_view>& names) : names_(names) {
    for (std::string_view name : names) {
      lengths_[static_cast<unsigned char>(name[0])] |= bit(name.size());
    }
  }
  bool contains(std::string_view text) const {
    return !text.empty() &&
           (lengths_[static_cast<unsigned char>(text[0])] & bit(text.size())) != 0 &&
           names_.contains(text);
  }

 private:
  static std::uint64_t bit(std::size_t length) { return std::uint64_t{1} << (length % 64); }

  const std::set<std::string_view>& names_;
  std::array<std::uint64_t, 256> lengths_{};
};

// The kernel's BTF, with its types in memory.
class Source {
 public:
  Source(int fd, const std::set<std::string_view>& names) : input_(fd) {
    if (input_.read(&header_, sizeof header_, 0) != sizeof header_ || header_.magic != BTF_MAGIC ||
        header_.version != BTF_VERSION || header_.hdr_len < sizeof header_) {
      throw std::runtime_error("is no BTF of this machine's byte order");
    }
    if (header_.type_len > (1U << 30) || header_.str_len > (1U << 30)) {
      throw std::runtime_error("is damaged");
    }
    find_names(names);
    const std::uint64_t types_at = std::uint64_t{header_.hdr_len} + header_.type_off;
    types_ =
        types_at % alignof(btf_type) == 0 ? input_.mapped(header_.type_len, types_at) : nullptr;
    if (types_ == nullptr) {
      own_types_.reset(new char[header_.type_len]);
      input_.read_all(own_types_.get(), header_.type_len, types_at);
      types_ = own_types_.get();
    }
    find_types();
  }

  // The types that have one of the names, by id.
  const std::vector<std::uint32_t>& named() const { return named_; }

  const btf_type& type(std::uint32_t id) const {
    if (id == 0 || id >= offsets_.size()) {
      throw std::runtime_error("is damaged: it refers to a type that it does not have");
    }
    return *reinterpret_cast<const btf_type*>(types_ + offsets_[id]);
  }

  std::string string(std::uint32_t offset) const {
    std::string text;
    std::array<char, 64> piece;
    for (;;) {
      std::size_t left = header_.str_len - std::min<std::size_t>(header_.str_len, offset);
      std::size_t size =
          input_.read(piece.data(), std::min(piece.size(), left), strings_at() + offset);
      const char* end = static_cast<const char*>(std::memchr(piece.data(), 0, size));
      text.append(piece.data(),
                  end != nullptr ? static_cast<std::size_t>(end - piece.data()) : size);
      if (end != nullptr || size == 0) {
        return text;
      }
      offset += static_cast<std::uint32_t>(size);
    }
  }

 private:
  std::uint64_t strings_at() const { return std::uint64_t{header_.hdr_len} + header_.str_off; }

  void find_names(const std::set<std::string_view>& names) {
    NameFilter filter(names);
    std::vector<char> buffer(std::size_t{1} << 16);
    std::size_t kept = 0;  // the beginning of a string that is not complete yet
    for (std::uint32_t at = 0; at < header_.str_len;) {
      std::size_t size = std::min<std::size_t>(buffer.size() - kept, header_.str_len - at);
      if (size == 0) {
        throw std::runtime_error("is damaged: a name has more than 64 KiB");
      }
      input_.read_all(buffer.data() + kept, size, strings_at() + at);
      const char* begin = buffer.data();
      const char* const end = buffer.data() + kept + size;
      while (const auto* nul = static_cast<const char*>(
                 std::memchr(begin, 0, static_cast<std::size_t>(end - begin)))) {
        if (filter.contains({begin, static_cast<std::size_t>(nul - begin)})) {
          name_offsets_.push_back(static_cast<std::uint32_t>(
              at - kept + static_cast<std::size_t>(begin - buffer.data())));
        }
        begin = nul + 1;
      }
      at += static_cast<std::uint32_t>(size);
      kept = static_cast<std::size_t>(end - begin);
      std::memmove(buffer.data(), begin, kept);
    }
  }

  void find_types() {
    offsets_.reserve(header_.type_len / 20);
    offsets_.push_back(0);  // void
    for (std::uint32_t at = 0; at < header_.type_len;) {
      if (header_.type_len - at < sizeof(btf_type)) {
        throw std::runtime_error("is cut short");
      }
      const auto& type = *reinterpret_cast<const btf_type*>(types_ + at);
      int tail = tail_bytes(type);
      if (tail < 0) {
        throw std::runtime_error("has a kind of type that is not known");
      }
      if (header_.type_len - at < sizeof type + static_cast<std::size_t>(tail)) {
        throw std::runtime_error("is cut short");
      }
      if (has_core_name(kind_of(type)) &&
          std::binary_search(name_offsets_.begin(), name_offsets_.end(), type.name_off)) {
        named_.push_back(static_cast<std::uint32_t>(offsets_.size()));
      }
      offsets_.push_back(at);
      at += static_cast<std::uint32_t>(sizeof type) + static_cast<std::uint32_t>(tail);
    }
  }

  Input input_;
  btf_header header_{};
  std::unique_ptr<char[]> own_types_;
  const char* types_ = nullptr;
  std::vector<std::uint32_t> offsets_;       // of types, by id
  std::vector<std::uint32_t> name_offsets_;  // of the names, ascending
  std::vector<std::uint32_t> named_;
};

// Chooses types, numbers them anew and writes them.
class Subset {
 public:
  explicit Subset(const Source& source) : source_(source) {}

  std::string make() {
    for (std::uint32_t id : source_.named()) {
      number(id, false);
    }
    // Writing a type may choose others, which get in line.
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      write(chosen_[i].first, chosen_[i].second);
    }
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof header;
    header.type_len = static_cast<std::uint32_t>(types_.size());
    header.str_off = header.type_len;
    header.str_len = static_cast<std::uint32_t>(strings_.size());
    std::string all(reinterpret_cast<const char*>(&header), sizeof header);
    return all.append(types_).append(strings_);
  }

 private:
  // Its new id. Of pointers in a struct only their size matters.
  std::uint32_t number(std::uint32_t id, bool in_struct) {
    if (id == 0) {
      return 0;
    }
    std::uint64_t key = (std::uint64_t{id} << 1) | (in_struct ? 1U : 0U);
    auto [entry, added] = numbers_.emplace(key, static_cast<std::uint32_t>(chosen_.size() + 1));
    if (added) {
      chosen_.emplace_back(id, in_struct);
    }
    return entry->second;
  }

  std::uint32_t name(std::uint32_t offset) {
    if (offset == 0) {
      return 0;
    }
    auto [entry, added] = names_.emplace(offset, static_cast<std::uint32_t>(strings_.size()));
    if (added) {
      strings_.append(source_.string(offset)).push_back('\0');
    }
    return entry->second;
  }

  template <class Part>
  void append(const Part& part) {
    types_.append(reinterpret_cast<const char*>(&part), sizeof part);
  }

  void write(std::uint32_t id, bool in_struct) {
    const btf_type& from = source_.type(id);
    const void* tail = &from + 1;
    const auto count = static_cast<std::uint32_t>(BTF_INFO_VLEN(from.info));
    btf_type type = from;
    type.name_off = name(from.name_off);
    switch (kind_of(from)) {
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
        append(type);
        for (btf_member member : parts<btf_member>(tail, count)) {
          member.name_off = name(member.name_off);
          member.type = number(member.type, true);
          append(member);
        }
        break;
      case BTF_KIND_FUNC_PROTO:
        type.type = number(from.type, false);
        append(type);
        for (btf_param parameter : parts<btf_param>(tail, count)) {
          parameter.name_off = name(parameter.name_off);
          parameter.type = number(parameter.type, false);
          append(parameter);
        }
        break;
      case BTF_KIND_ARRAY: {
        struct btf_array array = parts<struct btf_array>(tail, 1).front();
        array.type = number(array.type, in_struct);
        array.index_type = number(array.index_type, in_struct);
        append(type);
        append(array);
        break;
      }
      case BTF_KIND_ENUM:
      case kind_enum64:
        type.info &= ~0xffffU;
        append(type);
        break;
      case BTF_KIND_INT:
        append(type);
        append(parts<std::uint32_t>(tail, 1).front());
        break;
      case BTF_KIND_FWD:
      case BTF_KIND_FLOAT:
        append(type);
        break;
      case BTF_KIND_PTR:
        type.type = in_struct ? 0 : number(from.type, false);
        append(type);
        break;
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case kind_type_tag:
        type.type = number(from.type, in_struct);
        append(type);
        break;
      default:
        throw std::runtime_error("is damaged: what is no type is used as one");
    }
  }

  template <class Part>
  static std::vector<Part> parts(const void* tail, std::size_t count) {
    std::vector<Part> all(count);
    if (count != 0) {
      std::memcpy(all.data(), tail, count * sizeof(Part));
    }
    return all;
  }

  const Source& source_;
  std::vector<std::pair<std::uint32_t, bool>> chosen_;        // ids, and whether in a struct
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // of those
  std::unordered_map<std::uint32_t, std::uint32_t> names_;    // by offset in the source
  std::string types_;
  std::string strings_ = std::string(1, '\0');
};

}  // namespace

std::set<std::string_view> core_type_names(const btf* object) {
  std::set<std::string_view> names;
  for (std::uint32_t id = 1; id < btf__type_cnt(object); ++id) {
    const btf_type* type = btf__type_by_id(object, id);
    std::string_view name = btf__str_by_offset(object, type->name_off);
    name = name.substr(0, name.find("___"));
    if (has_core_name(kind_of(*type)) && !name.empty()) {
      names.insert(name);
    }
  }
  return names;
}

std::string btf_subset(int fd, const std::set<std::string_view>& names) {
  return Subset(Source(fd, names)).make();
}

}  // namespace bpftrap
