// SPDX-License-Identifier: GPL-2.0-only
// Writes the recordings of a simulated fleet: bpftrap_fleet_hosts RECORDS SEED DIRECTORY makes
// DIRECTORY/HOST.bpftrap for each of three hosts, with about RECORDS records in all. The same
// arguments make the same bytes. The fleet has two weeks, until Wednesday, 2026-11-25 at noon.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "fleet/activity.h"

namespace bpftrap::fleet {

namespace {

constexpr Time noon = 1'795'608'000 * second;  // 2026-11-25T12:00:00Z
constexpr Span whole{noon - 14 * day, noon};

std::string web(std::string_view name, std::uint64_t seed, std::size_t records) {
  Host host(std::string(name), seed, whole.begin - 3 * day);
  bool second_one = name == "web2";
  add_restarts(host, whole, 4, second_one ? 21 : 5);
  add_logins(host, whole);
  add_killings(host, noon - (second_one ? 20 : 44) * hour);
  if (second_one) {
    add_out_of_memory(host, Role::web, noon - 3 * day);
    add_intrusion(host, noon - 33 * hour);
    host.lose(noon - 33 * hour, 17);
  } else {
    add_fork_storm(host, noon - 54 * hour, 500);
  }
  add_everyday_work(host, Role::web, whole, records);
  return host.recording(whole.end);
}

// Two boots.
std::string database(std::string_view name, std::uint64_t seed, std::size_t records) {
  Time reboot = noon - 6 * day;
  Host before(std::string(name), seed, whole.begin - 3 * day);
  add_everyday_work(before, Role::database, {whole.begin, reboot - minute}, records * 4 / 7);
  Host after(std::string(name), seed + 1, reboot);
  Span rest{reboot + minute, whole.end};
  add_logins(after, rest);
  add_out_of_memory(after, Role::database, noon - 2 * day);
  add_everyday_work(after, Role::database, rest, records - before.records());
  return before.recording(reboot - second) + after.recording(whole.end);
}

bool write_file(const std::string& path, const std::string& content) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool written =
      file != nullptr && std::fwrite(content.data(), 1, content.size(), file) == content.size();
  if (file == nullptr || std::fclose(file) != 0 || !written) {
    fmt::print(stderr, "bpftrap_fleet_hosts: cannot write '{}': {}\n", path, std::strerror(errno));
    return false;
  }
  return true;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

}  // namespace

}  // namespace bpftrap::fleet

int main(int argc, char** argv) {
  using namespace bpftrap::fleet;
  auto records = argc == 4 ? number(argv[1]) : std::nullopt;
  auto seed = argc == 4 ? number(argv[2]) : std::nullopt;
  if (!records || !seed) {
    fmt::print(stderr, "usage: bpftrap_fleet_hosts RECORDS SEED DIRECTORY\n");
    return 2;
  }
  std::string directory = std::string(argv[3]) + "/";
  std::size_t each = *records / 3;
  bool written = write_file(directory + "web1.bpftrap", web("web1", *seed, each)) &&
                 write_file(directory + "web2.bpftrap", web("web2", *seed + 10, each)) &&
                 write_file(directory + "db1.bpftrap", database("db1", *seed + 20, each));
  return written ? 0 : 1;
}
