// SPDX-License-Identifier: GPL-2.0-only
#include "core/timeline/page.h"

#include <cerrno>
#include <cstddef>
#include <span>

#include "core/os/error.h"
#include "core/recording/deflate.h"

namespace bpftrap {

namespace {

#include "timeline_page.inc"

std::string inflated(std::span<const unsigned char> bytes, std::size_t size) {
  std::string text(size, '\0');
  if (!Inflater().inflate(std::as_bytes(bytes), std::as_writable_bytes(std::span(text)))) {
    throw Error("cannot inflate the page of the timeline", EINVAL);
  }
  return text;
}

}  // namespace

TimelinePage timeline_page() {
  return {inflated(page_before_data, page_before_data_size),
          inflated(page_after_data, page_after_data_size)};
}

}  // namespace bpftrap
