// SPDX-License-Identifier: GPL-2.0-only
// A recording of format 1 in bytes, made by hand from docs/recording.md and not by the writer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// Ignores spaces between digits.
inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  int digits = 0;
  unsigned value = 0;
  for (char c : hex) {
    if (c == ' ') {
      continue;
    }
    value = 16 * value + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits == 2) {
      bytes += static_cast<char>(value);
      digits = 0;
      value = 0;
    }
  }
  return bytes;
}

// Each is one record.
inline std::vector<std::string> golden_records_1() {
  return {
      // host: page size 4096, 100 ticks, 2 CPUs; machine, 0123-4567, 6.1.0, 0.1.0
      from_hex("4a000000 30000340 00943577 00000000 00100000 00000000 64000000 02000000"
               "fcffffef 01000000 07000900 05000500 6d616368 696e6530 3132332d 34353637"
               "362e312e 30302e31 2e30"),
      // clock: wall clock = boot time + 1000 s
      from_hex("18000000 18000343 00943577 00000000 0010a5d4 e8000000"),
      // start: command `record`
      from_hex("1e000000 18000341 00943577 00000000 00000000 06000000 7265636f 7264"),
      // user: 1000 is somebody
      from_hex("20000000 18000345 00943577 00000000 e8030000 08000000 736f6d65 626f6479"),
      // older: pid 10, child of 1, start at tick 77: bash -l
      from_hex("52000000 40000346 00943577 00000000 4d000000 00000000 0a000000 01000000"
               "0a000000 01000000 08000000 09000100 62617368 00000000 00000000 00000000"
               "62617368 002d6c00 2f62696e 2f626173 682f"),
      // cgroup: 77 is /a/b
      from_hex("24000000 20000303 005ed0b2 00000000 4d000000 00000000 04000000 00000000"
               "62006100"),
      // fork: 1200 forks 1234
      from_hex("c0000000 c0000305 00286bee 00000000 00286bee 00000000 005ed0b2 00000000"
               "4d000000 00000000 d2040000 b0040000 e8030000 e9030000 ea030000 eb030000"
               "ffffffff ffffffff 4c040000 7e040000 d2040000 b0040000 04000000 a00000f0"
               "6368696c 64000000 00000000 00000000 70617265 6e740000 00000000 00000000"
               "70747333 00000000 00000000 00000000 f4010000 00000000 58020000 00000000"
               "0f000000 00000000 b1040000 00000000 005ed0b2 00000000 b0040000 01000000"),
      // exec: /bin/x with the arguments `x` and `a b`
      from_hex("e9000000 d8000301 00f2052a 01000000 00286bee 00000000 005ed0b2 00000000"
               "4d000000 00000000 d2040000 b0040000 e8030000 e9030000 ea030000 eb030000"
               "ffffffff ffffffff 4c040000 7e040000 d2040000 b0040000 04000000 a00000f0"
               "6368696c 64000000 00000000 00000000 70617265 6e740000 00000000 00000000"
               "70747333 00000000 00000000 00000000 01000000 00000000 06000000 00000000"
               "06000000 07000000 00000000 00000000 03000100 01000100 00000000 00000000"
               "00000000 12000000 00000000 15000000 00000000 00000000 2f62782f 2f62696e"
               "2f780078 00612062 00"),
      // exit: exit code 3; SIGTERM from systemd 30 ns before
      from_hex("88010000 88010302 00bca065 01000000 00286bee 00000000 005ed0b2 00000000"
               "4d000000 00000000 d2040000 b0040000 e8030000 e9030000 ea030000 eb030000"
               "ffffffff ffffffff 4c040000 7e040000 d2040000 b0040000 04000000 a00000f0"
               "6368696c 64000000 00000000 00000000 70617265 6e740000 00000000 00000000"
               "70747333 00000000 00000000 00000000 00030000 c8000000 00093d00 00000000"
               "00093d00 00000000 808d5b00 00000000 00000000 00000000 00000000 00000000"
               "00000000 00000000 00000000 00000000 03000000 00000000 bc020000 00000000"
               "f4010000 00000000 58020000 00000000 0f000000 00000000 b1040000 01000000"
               "00000000 00000000 00100000 00000000 00200000 00000000 0b000000 00000000"
               "0c000000 00000000 0d000000 00000000 0e000000 00000000 00000000 00000000"
               "00000000 00000000 00000000 00000000 00000000 00000000 14000000 00000000"
               "e9030000 01000000 73797374 656d6400 00000000 00000000 e2bba065 01000000"
               "0f000000 15000000"),
      // loss: 7 ends
      from_hex("98000000 98000344 00bca065 01000000 00000000 00000000 00000000 00000000"
               "07000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"
               "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"
               "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"
               "00000000 00000000 00000000 00000000 00000000 00000000"),
      // stop: 3 records, 7 lost
      from_hex("20000000 20000342 00863ba1 01000000 03000000 00000000 07000000 00000000"),
  };
}

// Two batches: one of eight records as they are, one of three, deflated.
inline std::string golden_recording_1() {
  std::string recording = from_hex(
      // magic, version 1, header of 88 bytes, codec 0, a segment begins; run, sequence, first and
      // last time, twice; 8 records, sizes, checksums
      "89627066 74726170 01005800 00000100 2a000000 00000000 00000000 00000000"
      "00943577 00000000 00f2052a 01000000 00a4da4b e9000000 0002abfe e9000000"
      "08000000 df020000 df020000 8b5c87c9 00000000 fd9e6e60");
  std::vector<std::string> records = golden_records_1();
  for (std::size_t i = 0; i < 8; ++i) {
    auto size = static_cast<std::uint32_t>(records[i].size());
    recording.append(reinterpret_cast<const char*>(&size), sizeof size);
    recording += records[i];
  }
  return recording + from_hex(
                         // the same with codec 1, then the deflated payload
                         "89627066 74726170 01005800 01000000 2a000000 00000000 01000000 00000000"
                         "00bca065 01000000 00863ba1 01000000 00cc453a ea000000 0096e075 ea000000"
                         "03000000 4c020000 d6000000 3afd3dd1 00000000 5b4f4895"
                         "eb606460 e8006366 26863d0b 52814c06 068dec77 208a21ee c22610e5 0b2280e0"
                         "120b03c3 06207ec1 ccc0f012 885f01f1 6b20fe0f 053e40b9 3a2086a9 03321916"
                         "30307c48 cec8cc49 01190005 058945a9 7925301e 03434149 b1318207 6401cd3c"
                         "0112e0b4 850843e9 86de6808 9f0009d4 0e067b98 20f417b0 a7181822 a07c7ea8"
                         "fc46a003 a1521011 01a88402 84e68672 79a0342f 94e683d2 842811a8 02505881"
                         "ec29ae2c 2e49cd45 84c4a3dd 90f006b9 47148867 c031b30b 3c2e8062 c8801d99"
                         "4347b602 d02e0866 766268b3 5e08f20f 2c9c616e 0200");
}

}  // namespace bpftrap
