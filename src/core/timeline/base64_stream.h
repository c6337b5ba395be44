// SPDX-License-Identifier: GPL-2.0-only
// Deflates a stream and encodes it in base64, piece by piece.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace bpftrap {

class Base64Stream {
 public:
  explicit Base64Stream(std::function<void(std::string_view)> write);  // throws Error
  ~Base64Stream();
  Base64Stream(const Base64Stream&) = delete;
  Base64Stream& operator=(const Base64Stream&) = delete;

  void add(std::string_view bytes) { deflate(bytes, false); }
  void finish() { deflate({}, true); }

 private:
  struct State;

  void deflate(std::string_view bytes, bool last);
  void encode(bool last);

  std::function<void(std::string_view)> write_;
  std::unique_ptr<State> state_;
  std::string deflated_;
  std::string text_;
};

}  // namespace bpftrap
