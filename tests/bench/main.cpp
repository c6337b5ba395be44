// SPDX-License-Identifier: GPL-2.0-only
// bpftrap_bench, the program of tests/bench/run.sh.
#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>

#include "bench/bench.h"
#include "bench/floor.h"

namespace bench {

namespace {

const char* const usage =
    "usage: bpftrap_bench [--rounds N] [--processes N] [--loss-processes N] [--alive N]\n"
    "                     [--only KEY,...] [--no-peers] [--long] [--about LINE]...\n"
    "                     [--json FILE] [--markdown FILE]\n"
    "See tests/bench/run.sh --help.\n";

const std::vector<std::string> keys{
    "pinned",   "storm",      "argv", "true", "make", "startup",  "stop",  "latency", "bpf",
    "rejected", "record-cpu", "rss",  "size", "lost", "recorder", "alive", "runtime"};

struct Arguments {
  Options options;
  std::vector<std::string> about;
  std::string json;
  std::string markdown;
};

[[noreturn]] void wrong(const std::string& what) {
  std::fprintf(stderr, "bpftrap_bench: %s\n%s", what.c_str(), usage);
  std::exit(2);
}

std::uint64_t to_number(const char* text) {
  char* end = nullptr;
  std::uint64_t number = std::strtoull(text, &end, 10);
  if (*text == '\0' || *end != '\0' || number == 0) {
    wrong(std::string("'") + text + "' is not a number above 0");
  }
  return number;
}

std::vector<std::string> to_keys(const std::string& list) {
  std::vector<std::string> wanted;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    if (std::find(keys.begin(), keys.end(), word) == keys.end()) {
      wrong("--only: unknown figure '" + word + "'");
    }
    wanted.push_back(word);
  }
  return wanted;
}

Arguments parse(int argc, char** argv) {
  constexpr option options[] = {{"rounds", required_argument, nullptr, 'r'},
                                {"processes", required_argument, nullptr, 'p'},
                                {"loss-processes", required_argument, nullptr, 'l'},
                                {"alive", required_argument, nullptr, 'a'},
                                {"only", required_argument, nullptr, 'o'},
                                {"no-peers", no_argument, nullptr, 'n'},
                                {"long", no_argument, nullptr, 'L'},
                                {"about", required_argument, nullptr, 't'},
                                {"json", required_argument, nullptr, 'j'},
                                {"markdown", required_argument, nullptr, 'm'},
                                {}};
  Arguments arguments;
  Options& wanted = arguments.options;
  for (int c = 0; (c = ::getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    switch (c) {
      case 'r':
        wanted.rounds = static_cast<int>(to_number(optarg));
        break;
      case 'p':
        wanted.processes = to_number(optarg);
        break;
      case 'l':
        wanted.loss_processes = to_number(optarg);
        wanted.recorded_processes = wanted.loss_processes;
        break;
      case 'a':
        wanted.alive = to_number(optarg);
        break;
      case 'o':
        wanted.only = to_keys(optarg);
        break;
      case 'n':
        wanted.peers = false;
        break;
      case 'L':
        wanted.runtime = true;
        wanted.recorded_processes = 1'000'000;
        wanted.shown_records = 10'000'000;
        break;
      case 't':
        arguments.about.push_back(optarg);
        break;
      case 'j':
        arguments.json = optarg;
        break;
      case 'm':
        arguments.markdown = optarg;
        break;
      default:
        wrong("unknown option");
    }
  }
  if (optind != argc) {
    wrong(std::string("'") + argv[optind] + "' is not an option");
  }
  return arguments;
}

void write(const std::string& path, const std::string& text) {
  if (std::ofstream file(path); !(file << text)) {
    throw std::runtime_error("cannot write " + path);
  }
}

int run(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  Bench bench{.options = arguments.options, .arena = {}, .report = {}};
  bench.report.about = arguments.about;
  measure_times(bench);
  measure_costs(bench);
  measure_losses(bench);
  measure_recordings(bench);
  measure_growth(bench);
  compare(bench);
  std::string markdown = to_markdown(bench.report);
  std::fputs(markdown.c_str(), stdout);
  if (!arguments.json.empty()) {
    write(arguments.json, to_json(bench.report));
  }
  if (!arguments.markdown.empty()) {
    write(arguments.markdown, markdown);
  }
  if (bench.lost != 0) {
    std::fprintf(stderr, "bpftrap_bench: bpftrap has lost %llu records\n",
                 static_cast<unsigned long long>(bench.lost));
    return 1;
  }
  return 0;
}

}  // namespace

bool Bench::wants(const std::string& key) const {
  if (options.only.empty()) {
    return key != "runtime" || options.runtime;
  }
  return std::find(options.only.begin(), options.only.end(), key) != options.only.end();
}

void Bench::say(const std::string& what) const {
  std::fprintf(stderr, "%s\n", what.c_str());
}

}  // namespace bench

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--floor") {
    return bench::run_floor(argv[2]);
  }
  try {
    return bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bpftrap_bench: %s\n", error.what());
    return 1;
  }
}
