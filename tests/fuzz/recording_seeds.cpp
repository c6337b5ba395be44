// SPDX-License-Identifier: GPL-2.0-only
// Writes the seeds of the fuzz target `recording`: the recordings of the unit tests, whole and in
// parts.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "unit/recording/golden.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bpftrap_fuzz_recording_seeds DIRECTORY\n", stderr);
    return EXIT_FAILURE;
  }
  std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  int number = 0;
  for (const std::string& recording :
       {bpftrap::golden_recording_1(), bpftrap::golden_recording_folded_1()}) {
    for (std::size_t part : {1, 2, 4}) {
      std::ofstream file(directory / ("golden-" + std::to_string(++number)), std::ios::binary);
      file << char{1} << recording.substr(0, recording.size() / part);
      if (!file.flush()) {
        return EXIT_FAILURE;
      }
    }
  }
  return EXIT_SUCCESS;
}
