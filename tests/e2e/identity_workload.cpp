// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/identity_workload.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace e2e {

namespace {

std::string first_line_of(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name + ":\t")) {
      return line.substr(name.size() + 2);
    }
  }
  return "";
}

}  // namespace

int workload_say_identity(const std::vector<std::string>& arguments) {
  std::FILE* out = ::fdopen(std::stoi(arguments.at(0)), "w");
  std::fprintf(out, "euid %u\negid %u\n", ::geteuid(), ::getegid());
  std::fprintf(out, "session_id %d\nprocess_group %d\n", ::getsid(0), ::getpgrp());
  std::fprintf(out, "login_uid %s\n", first_line_of("/proc/self/loginuid").c_str());
  std::fprintf(out, "audit_session %s\n", first_line_of("/proc/self/sessionid").c_str());
  std::fprintf(out, "cap_effective %s\n", status_line("CapEff").c_str());
  std::fprintf(out, "secure %lu\n", ::getauxval(AT_SECURE));
  return std::fclose(out) == 0 ? 0 : 1;
}

}  // namespace e2e
