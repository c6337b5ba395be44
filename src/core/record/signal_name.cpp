// SPDX-License-Identifier: GPL-2.0-only
#include "core/record/signal_name.h"

#include <csignal>
#include <cstring>

namespace bpftrap {

std::string signal_name(int number) {
  if (const char* name = ::sigabbrev_np(number); name != nullptr) {
    return std::string("SIG") + name;
  }
  if (number == SIGRTMIN) {
    return "SIGRTMIN";
  }
  if (number > SIGRTMIN && number <= SIGRTMAX) {
    return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  }
  return "SIG" + std::to_string(number);
}

std::string errno_name(int number) {
  if (const char* name = ::strerrorname_np(number); name != nullptr) {
    return name;
  }
  return std::to_string(number);
}

}  // namespace bpftrap
