// SPDX-License-Identifier: GPL-2.0-only
#include "core/timeline/base64_stream.h"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// A multiple of 3, so that pieces need no padding.
constexpr std::size_t piece = std::size_t{3} << 14;

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = at; i < at + 3; ++i) {
      group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    std::array<char, 4> text{};
    for (unsigned i = 0; i < 4; ++i) {
      text[i] = digits[group >> (18 - 6 * i) & 63];
    }
    out.append(text.data(), text.size());
  }
  std::size_t missing = (3 - bytes.size() % 3) % 3;
  out.replace(out.size() - missing, missing, missing, '=');
}

}  // namespace

struct Base64Stream::State {
  z_stream stream{};
};

Base64Stream::Base64Stream(std::function<void(std::string_view)> write)
    : write_(std::move(write)), state_(std::make_unique<State>()) {
  // A negative number means no header of zlib's own.
  constexpr int raw_window_bits = -MAX_WBITS;
  constexpr int level = 6;
  constexpr int memory_level = 9;
  if (::deflateInit2(&state_->stream, level, Z_DEFLATED, raw_window_bits, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error("cannot prepare compression", ENOMEM);
  }
}

Base64Stream::~Base64Stream() {
  ::deflateEnd(&state_->stream);
}

void Base64Stream::deflate(std::string_view bytes, bool last) {
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  do {
    std::size_t before = deflated_.size();
    deflated_.resize(before + piece);
    stream.next_out = reinterpret_cast<Bytef*>(deflated_.data() + before);
    stream.avail_out = static_cast<uInt>(piece);
    ::deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
    deflated_.resize(before + piece - stream.avail_out);
    encode(false);
  } while (stream.avail_out == 0);
  if (last) {
    encode(true);
  }
}

void Base64Stream::encode(bool last) {
  std::size_t size = last ? deflated_.size() : deflated_.size() / piece * piece;
  text_.clear();
  append_base64(text_, std::string_view(deflated_).substr(0, size));
  deflated_.erase(0, size);
  write_(text_);
}

}  // namespace bpftrap
