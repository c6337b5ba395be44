// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/btf_subset.h"

#include <linux/btf.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/bpf/btf_kinds.h"
#include "core/bpf/input.h"
#include "core/bpf/name_filter.h"

namespace bpftrap {

namespace {

// The kernel's BTF. Types stay in memory; names are read when needed.
class Source {
 public:
  // Functions are looked at only if `functions` is true: they are a third of all types.
  Source(int fd, const std::set<std::string_view>& names, bool functions) : input_(fd) {
    if (input_.read(&header_, sizeof header_, 0) != sizeof header_ || header_.magic != BTF_MAGIC ||
        header_.version != BTF_VERSION || header_.hdr_len < sizeof header_) {
      throw std::runtime_error("is not BTF in this machine's byte order");
    }
    if (header_.type_len > (1U << 30) || header_.str_len > (1U << 30)) {
      throw std::runtime_error("is damaged");
    }
    NameFilter filter(names);
    strings_ = input_.mapped(header_.str_len, strings_at());
    if (strings_ == nullptr) {
      find_names(filter);
    }
    std::uint64_t types_at = std::uint64_t{header_.hdr_len} + header_.type_off;
    types_ =
        types_at % alignof(btf_type) == 0 ? input_.mapped(header_.type_len, types_at) : nullptr;
    if (types_ == nullptr) {
      own_types_.reset(new char[header_.type_len]);
      input_.read_all(own_types_.get(), header_.type_len, types_at);
      types_ = own_types_.get();
    }
    find_types(filter, functions ? BTF_KIND_FUNC : BTF_KIND_UNKN);
  }

  // Returns the ids of the types that have one of the names.
  const std::vector<std::uint32_t>& named() const { return named_; }

  // Removes a type from the result of named(), and returns its id, or 0.
  std::uint32_t take(const WantedType& wanted) {
    auto found = std::find_if(named_.begin(), named_.end(), [&](std::uint32_t id) {
      return kind_of(type(id)) == wanted.kind && string(type(id).name_off) == wanted.name;
    });
    if (found == named_.end()) {
      return 0;
    }
    std::uint32_t id = *found;
    named_.erase(found);
    return id;
  }

  const btf_type& type(std::uint32_t id) const {
    if (id == 0 || id >= count_) {
      throw std::runtime_error("is damaged: it refers to a type that it does not contain");
    }
    // Ids start at 1.
    std::uint32_t at = marks_[(id - 1) / mark_every];
    for (std::uint32_t i = (id - 1) % mark_every; i > 0; --i) {
      at += size_of(type_at(at));
    }
    return type_at(at);
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

  // Used if strings are not mapped. Reads all of them once, because a lookup costs a system call.
  void find_names(const NameFilter& filter) {
    std::vector<char> buffer(std::size_t{1} << 16);
    std::size_t kept = 0;  // bytes of an incomplete string
    for (std::uint32_t at = 0; at < header_.str_len;) {
      std::size_t size = std::min<std::size_t>(buffer.size() - kept, header_.str_len - at);
      if (size == 0) {
        throw std::runtime_error("is damaged: a name is longer than 64 KiB");
      }
      input_.read_all(buffer.data() + kept, size, strings_at() + at);
      const char* begin = buffer.data();
      const char* const end = buffer.data() + kept + size;
      while (const auto* nul = static_cast<const char*>(
                 std::memchr(begin, 0, static_cast<std::size_t>(end - begin)))) {
        if (nul != begin && filter.may_contain(begin) &&
            filter.contains({begin, static_cast<std::size_t>(nul - begin)})) {
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

  bool is_wanted(std::uint32_t name, const NameFilter& filter) const {
    if (strings_ == nullptr) {
      return std::binary_search(name_offsets_.begin(), name_offsets_.end(), name);
    }
    return name + std::uint64_t{1} < header_.str_len && filter.may_contain(strings_ + name) &&
           filter.contains({strings_ + name, ::strnlen(strings_ + name, header_.str_len - name)});
  }

  const btf_type& type_at(std::uint32_t offset) const {
    return *reinterpret_cast<const btf_type*>(types_ + offset);
  }

  // `also`: a kind that is wanted although CO-RE does not find it by name.
  void find_types(const NameFilter& filter, std::uint32_t also) {
    std::uint32_t all = header_.type_len;
    std::uint32_t id = 1;
    std::uint32_t left_to_mark = 1;
    for (std::uint32_t at = 0; at < all; ++id) {
      if (all - at < sizeof(btf_type)) {
        throw std::runtime_error("is truncated");
      }
      const btf_type& type = type_at(at);
      const Kind& kind = kinds[kind_of(type)];
      if (kind.size == 0) {
        throw std::runtime_error("contains an unknown kind of type");
      }
      std::uint32_t size = size_of(type);
      if (all - at < size) {
        throw std::runtime_error("is truncated");
      }
      if ((kind.core_name || kind_of(type) == also) && is_wanted(type.name_off, filter)) {
        named_.push_back(id);
      }
      if (--left_to_mark == 0) {
        marks_.push_back(at);
        left_to_mark = mark_every;
      }
      at += size;
    }
    count_ = id;
  }

  static constexpr std::uint32_t mark_every = 32;

  Input input_;
  btf_header header_{};
  std::unique_ptr<char[]> own_types_;
  const char* types_ = nullptr;
  const char* strings_ = nullptr;  // null if not mapped
  std::uint32_t count_ = 0;        // types, void included
  // Offset of every 32nd type (`mark_every`). type() walks from there to the others.
  std::vector<std::uint32_t> marks_;
  std::vector<std::uint32_t> name_offsets_;  // offsets of wanted names, ascending; if not mapped
  std::vector<std::uint32_t> named_;
};

// Selects types, renumbers them and writes them.
class Subset {
 public:
  explicit Subset(const Source& source) : source_(source) {}

  std::string make() {
    for (std::uint32_t id : source_.named()) {
      number(id, false);
    }
    // write() may append types to chosen_.
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
  // Returns the new id. Inside a struct (`in_struct`) only the size of a pointer matters.
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

  template <class Members>
  void write_members(const Members& members) {
    for (btf_member member : members) {
      member.name_off = name(member.name_off);
      member.type = number(member.type, true);
      append(member);
    }
  }

  void write_enum(btf_type type, const void* tail, std::uint32_t count) {
    type.info = (type.info & ~0xffffU) | count;
    append(type);
    std::size_t words = kinds[kind_of(type)].part_size / 4;  // the first one is the name
    for (std::size_t i = 0; std::uint32_t word : parts<std::uint32_t>(tail, count * words)) {
      append(i++ % words == 0 ? name(word) : word);
    }
  }

  void write(std::uint32_t id, bool in_struct) {
    const btf_type& from = source_.type(id);
    const void* tail = &from + 1;
    auto count = static_cast<std::uint32_t>(BTF_INFO_VLEN(from.info));
    btf_type type = from;
    type.name_off = name(from.name_off);
    switch (kind_of(from)) {
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
        append(type);
        write_members(parts<btf_member>(tail, count));
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
        write_enum(type, tail, in_struct ? 0 : count);
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
        throw std::runtime_error("is damaged: a type refers to an entry that is not a type");
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
  std::vector<std::pair<std::uint32_t, bool>> chosen_;        // old id, and if inside a struct
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // entry of chosen_ to new id
  std::unordered_map<std::uint32_t, std::uint32_t> names_;    // old name offset to new one
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
    if (kinds[kind_of(*type)].core_name && !name.empty()) {
      names.insert(name);
    }
  }
  return names;
}

std::string btf_subset(int fd, std::set<std::string_view> names,
                       const std::vector<WantedType*>& wanted) {
  bool functions = false;
  for (const WantedType* type : wanted) {
    names.insert(type->name);
    functions = functions || type->kind == BTF_KIND_FUNC;
  }
  Source source(fd, names, functions);
  for (WantedType* type : wanted) {
    type->id = source.take(*type);
  }
  return Subset(source).make();
}

}  // namespace bpftrap
