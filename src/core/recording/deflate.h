// SPDX-License-Identifier: GPL-2.0-only
// Raw deflate streams (RFC 1951), by zlib. One object is used for many payloads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace bpftrap {

class Deflater {
 public:
  Deflater();  // throws Error
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Returns the compressed bytes, or an empty span if they are not fewer. Valid until the next
  // call.
  std::span<const std::byte> deflate(std::span<const std::byte> bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string out_;
};

class Inflater {
 public:
  Inflater();  // throws Error
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  // Fills `out`. Returns false if `bytes` is not a deflate stream of exactly that size.
  bool inflate(std::span<const std::byte> bytes, std::span<std::byte> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bpftrap
