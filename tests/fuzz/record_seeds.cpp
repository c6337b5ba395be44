// SPDX-License-Identifier: GPL-2.0-only
// Writes the seeds of the target `records`: made from the wire structs, so that they change with
// these. Usage: bpftrap_fuzz_seeds DIRECTORY
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/record/decode.h"
#include "unit/wire.h"

namespace bpftrap {

namespace {

using namespace std::literals;

// A record, aligned as in a ring buffer.
Bytes aligned(Bytes bytes) {
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes;
}

Bytes joined(const std::vector<Bytes>& records) {
  Bytes all;
  for (const Bytes& record : records) {
    Bytes next = aligned(record);
    all.insert(all.end(), next.begin(), next.end());
  }
  return all;
}

// Changes the wire struct at the front of a record.
template <class Wire, class Change>
Bytes changed(Bytes bytes, Change change) {
  Wire wire;
  std::memcpy(&wire, bytes.data(), sizeof wire);
  change(wire);
  std::memcpy(bytes.data(), &wire, sizeof wire);
  return bytes;
}

Bytes exec() {
  return wire_exec("/bin/x", "", "x\0a b\0"sv, 6);
}

template <class Change>
Bytes exec_with(Change change) {
  return changed<bpftrap_exec_event>(exec(), change);
}

template <class Change>
Bytes exit_with(int wait_status, Change change) {
  return changed<bpftrap_exit_event>(bytes_of(wire_exit(wait_status)), change);
}

// An event that has nothing but the identity of the process.
template <class Event>
Bytes about_process(std::uint16_t kind) {
  Event event{};
  event.header = wire_header(kind, sizeof event);
  event.start_boot_ns = wire_process().start_boot_ns;
  event.pid = wire_process().pid;
  return bytes_of(event);
}

Bytes cgroup_gone() {
  bpftrap_cgroup_gone_event event{};
  event.header = wire_header(BPFTRAP_RECORD_CGROUP_GONE, sizeof event);
  event.id = wire_process().cgroup_id;
  return bytes_of(event);
}

Bytes paths() {
  return wire_exec_of({{6, BPFTRAP_PATH_REACHED, 1},
                       {4, BPFTRAP_PATH_OUTSIDE, 0},
                       {8, BPFTRAP_PATH_PIPE, 0},
                       {7, BPFTRAP_PATH_ANON, 0},
                       {0, BPFTRAP_PATH_LONG, 0}},
                      "/bin/x/cwd\1\0\0\0\0\0\0\0[event]"sv);
}

Bytes hostile() {
  Bytes bytes = wire_exec("\x1b[2J", "\xff", "\n\0\xe2\x80\xae\0"sv, 6);
  return changed<bpftrap_exec_event>(bytes, [](bpftrap_exec_event& event) {
    std::memcpy(event.process.comm, "\x1b[31m\n\"\\\xc2\x9b;5;6;7", sizeof event.process.comm);
  });
}

struct Seed {
  const char* name;
  Bytes bytes;
  bool valid = true;  // each of its records can be decoded
};

std::vector<Seed> seeds() {
  auto failed = [](bpftrap_exec_event& event) { event.error = 2; };
  auto unreadable = [](bpftrap_exec_event& event) { event.flags = BPFTRAP_EXEC_ARGS_UNREADABLE; };
  auto killed = [](bpftrap_exit_event& event) { event.killer = wire_sender(); };
  auto asked = [](bpftrap_exit_event& event) {
    event.last_sender = wire_sender();
    event.last_signal = SIGTERM;
    event.last_boot_ns = event.header.boot_ns - 7;
  };
  auto oom = [](bpftrap_exit_event& event) { event.flags |= BPFTRAP_EXIT_OOM_VICTIM; };
  auto facts = [](bpftrap_exit_event& event) {
    event.flags = BPFTRAP_EXIT_IO_COUNTED | BPFTRAP_EXIT_EXECUTED | BPFTRAP_EXIT_PEAK_KNOWN |
                  BPFTRAP_EXIT_WAIT_KNOWN | BPFTRAP_EXIT_CLOCK_KNOWN;
    event.peak_rss_pages = 2;
  };
  auto requested = [](bpftrap_exec_event& event) {
    event.flags = BPFTRAP_EXEC_ENV_REQUESTED | BPFTRAP_EXEC_SECURE;
    event.env_len = 4;
  };
  return {
      {"exec", exec()},
      {"script", wire_exec("./s", "/bin/sh", "sh\0./s\0"sv, 7)},
      {"truncated", wire_exec("/bin/x", "", "x\0y"sv, 100'000)},
      {"unreadable", changed<bpftrap_exec_event>(wire_exec("/bin/x", "", "", 6), unreadable)},
      {"failed", exec_with(failed)},
      {"paths", paths()},
      {"environment", joined({wire_environment("A=b\0"sv), exec_with(requested)})},
      {"hostile", hostile()},
      {"exit", bytes_of(wire_exit(3 << 8))},
      {"killed", exit_with(SIGKILL, killed)},
      {"asked", exit_with(0, asked)},
      {"oom", exit_with(SIGKILL, oom)},
      {"facts", exit_with(SIGSEGV | 0x80, facts)},
      {"exec-exit", joined({wire_cgroup("b\0a\0"sv), exec(), bytes_of(wire_exit(0))})},
      {"cgroup-root", joined({wire_cgroup(""), exec(), cgroup_gone(), exec()})},
      {"cgroup-truncated", joined({wire_cgroup("b\0"sv, BPFTRAP_CGROUP_TRUNCATED), exec()})},
      {"tree", joined({bytes_of(wire_fork()), exec(), bytes_of(wire_exit(0))})},
      {"gone", joined({exec(), about_process<bpftrap_gone_event>(BPFTRAP_RECORD_GONE)})},
      {"final",
       joined({bytes_of(wire_exit(0)), about_process<bpftrap_final_event>(BPFTRAP_RECORD_FINAL)})},
      {"version", exec_with([](bpftrap_exec_event& event) { ++event.header.version; }), false},
      {"kind", exec_with([](bpftrap_exec_event& event) { event.header.kind = 77; }), false},
      {"short", exec_with([](bpftrap_exec_event& event) { event.header.size = 8; }), false},
      {"lengths", exec_with([](bpftrap_exec_event& event) { event.args_len += 1; }), false},
  };
}

bool is_valid(const Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at, sizeof size);
    Decoded decoded =
        decode(std::span(bytes).subspan(at, std::min<std::size_t>(size, bytes.size() - at)));
    if (std::holds_alternative<Malformed>(decoded)) {
      return false;
    }
    at += (size + 7) / 8 * 8;
  }
  return true;
}

}  // namespace

}  // namespace bpftrap

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bpftrap_fuzz_seeds DIRECTORY\n", stderr);
    return EXIT_FAILURE;
  }
  std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  for (const bpftrap::Seed& seed : bpftrap::seeds()) {
    if (bpftrap::is_valid(seed.bytes) != seed.valid) {
      std::fprintf(stderr, "seed '%s' is %s\n", seed.name, seed.valid ? "malformed" : "valid");
      return EXIT_FAILURE;
    }
    std::ofstream file(directory / seed.name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.bytes.data()),
               static_cast<std::streamsize>(seed.bytes.size()));
    if (!file.flush()) {
      std::fprintf(stderr, "cannot write seed '%s'\n", seed.name);
      return EXIT_FAILURE;
    }
  }
  return EXIT_SUCCESS;
}
