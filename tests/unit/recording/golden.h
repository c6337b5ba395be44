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

// The first nine records; then fork, exec and exit as in the first batch, the same of process 1235
// a second later, and the last two records. The batches are folded, the second is deflated as well.
inline std::vector<std::string> golden_records_folded_1() {
  std::vector<std::string> records = golden_records_1();
  std::vector<std::string> all(records.begin(), records.begin() + 9);
  for (std::size_t i = 6; i < 9; ++i) {
    all.push_back(records[i]);
  }
  for (std::size_t i = 6; i < 9; ++i) {
    constexpr std::uint64_t second = 1'000'000'000;
    for (std::size_t at : {8, 16}) {  // its time, and the start of the process
      std::uint64_t time = 0;
      std::memcpy(&time, records[i].data() + at, sizeof time);
      time += second;
      std::memcpy(records[i].data() + at, &time, sizeof time);
    }
    constexpr std::uint32_t pid = 1235;
    std::memcpy(records[i].data() + 40, &pid, sizeof pid);
    all.push_back(records[i]);
  }
  all.insert(all.end(), records.begin() + 9, records.end());
  return all;
}

inline std::string golden_recording_folded_1() {
  return from_hex(
      "89627066 74726170 01005800 02000100 2a000000 00000000 00000000 00000000"
      "00943577 00000000 00bca065 01000000 00a4da4b e9000000 00cc453a ea000000"
      "09000000 6b040000 c5010000 a6b52ff2 00000000 6c0e5f07"
      // payload
      "c0030600 1a1f0a94 35770810 04640000 000204fc ffffef01 06070009 00050005"
      "006d6163 68696e65 30313233 2d343536 37362e31 2e30302e 312e30c3 03030000"
      "030a9435 770b10a5 d4e8c103 03000603 0a943577 20060072 65636f72 64c50303"
      "0008030a 94357704 e8030000 0800736f 6d65626f 6479c603 0800123f 0a943577"
      "004d040a 00000001 040a0000 00010608 00000009 00010362 61736800 62617368"
      "002d6c00 2f62696e 2f626173 682f8303 04000407 0a5ed0b2 004d0004 00620061"
      "00850318 0000ffaf 7e0a286b ee0a286b ee0a5ed0 b2004d05 d2040000 b00405e8"
      "030000e9 0305ea03 0000eb03 07ffffff ffffffff ff054c04 00007e04 05d20400"
      "00b00407 04000000 a00000f0 04636869 6c640570 6172656e 74037074 733301f4"
      "01015802 000f01b1 040a5ed0 b204b004 00000181 031b0011 d20100ae 010bf205"
      "2a010001 00060406 00000007 06030001 00010001 20122015 002f6278 2f2f6269"
      "6e2f7800 78006120 62008203 310000d2 01001e7e 3fdc0bbc a065010b 030000c8"
      "09093d09 093d0280 8d5b0003 01bc0201 f4010158 02000f04 b1040000 01081008"
      "20000b00 0c000d00 0e001404 e9030000 01067379 7374656d 6404e2bb a0650104"
      "0f000000 15"
      // the second header
      "89627066 74726170 01005800 03000000 2a000000 00000000 01000000 00000000"
      "00286bee 00000000 00863ba1 01000000 003810c3 e9000000 0096e075 ea000000"
      "08000000 3a070000 1d010000 79ddb872 00000000 14ee6cf0"
      // payload
      "4c010000 354e3d4b c350143d 37efbdbc a6516bd4 82204846 7109e2a6 887fc08f"
      "551084c6 062c6a28 26435c8a 0a75f317 b8d4c155 5b573b49 0647a99b 38395905"
      "1171af37 a15eee27 f7dc736e 534c0383 db46716e ff2b8f9d a73bacab 9e04da52"
      "bd0ba02f d407974f a1074353 6bbc6dc8 21487346 0bf896bb 7bb583aa aa578e82"
      "3016f538 5aa45fa2 2d0325ea c88c57b6 194aa762 064e8f70 43f68f9a 27104c69"
      "32853605 b289dc09 b70ccf4f 3ccfaf85 5e820415 d7c79958 00f86cb6 b1fa6a77"
      "5b01d9fc d4a365ad b01b2717 db10d435 fe056527 532a8c17 5cd818c1 28c63025"
      "fb7c4066 741cc5c1 6155bedd 33872cb1 70596112 b05fc294 f20422e7 997851dc"
      "b8de740c e43d4f4b 97692a18 6931387b 00fa41b0 8cb6cf97 af0802fa 0f");
}

}  // namespace bpftrap
