// SPDX-License-Identifier: GPL-2.0-only
// The HTML page, which the build makes of the files in page/ (vendor/tools/embed_page.cpp).
#pragma once

#include <string>

namespace bpftrap {

// The data stands between both parts.
struct TimelinePage {
  std::string before;
  std::string after;
};

TimelinePage timeline_page();

}  // namespace bpftrap
