// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/deflate.h"

#include <zlib.h>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// A negative number means no header of zlib's own.
constexpr int raw_window_bits = -MAX_WBITS;

void set_streams(z_stream& stream, std::span<const std::byte> in, std::span<std::byte> out) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
}

}  // namespace

struct Deflater::State {
  z_stream stream{};
};

Deflater::Deflater() : state_(std::make_unique<State>()) {
  constexpr int memory_level = 8;
  if (::deflateInit2(&state_->stream, 1, Z_DEFLATED, raw_window_bits, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error("cannot prepare compression", ENOMEM);
  }
}

Deflater::~Deflater() {
  ::deflateEnd(&state_->stream);
}

std::span<const std::byte> Deflater::deflate(std::span<const std::byte> bytes) {
  out_.resize(bytes.size());
  std::span<std::byte> room(reinterpret_cast<std::byte*>(out_.data()), out_.size());
  set_streams(state_->stream, bytes, room);
  int result = ::deflate(&state_->stream, Z_FINISH);
  std::size_t size = room.size() - state_->stream.avail_out;
  ::deflateReset(&state_->stream);
  return result == Z_STREAM_END && size < bytes.size() ? room.first(size) : std::span<std::byte>();
}

struct Inflater::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::inflateEnd(&stream); }

  z_stream stream{};
};

Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

Inflater::Inflater() : state_(std::make_unique<State>()) {
  if (::inflateInit2(&state_->stream, raw_window_bits) != Z_OK) {
    throw Error("cannot prepare decompression", ENOMEM);
  }
}

Inflater::~Inflater() = default;

bool Inflater::inflate(std::span<const std::byte> bytes, std::span<std::byte> out) {
  set_streams(state_->stream, bytes, out);
  int result = ::inflate(&state_->stream, Z_FINISH);
  bool whole =
      result == Z_STREAM_END && state_->stream.avail_in == 0 && state_->stream.avail_out == 0;
  ::inflateReset(&state_->stream);
  return whole;
}

}  // namespace bpftrap
