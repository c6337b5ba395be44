// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap why`: explains a run, or the end of a process.
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>

#include "cli/common_options.h"
#include "cli/why.h"

namespace bpftrap {

Run setup_why(CLI::App& app) {
  auto runs = std::make_shared<std::map<std::string, Run>>();
  auto add = [&](const char* name, const char* description, Run (*setup)(CLI::App&)) {
    (*runs)[name] = setup(*app.add_subcommand(name, description));
  };
  add("slow", "print the chain of processes that determined how long a run took", setup_why_slow);
  add("died", "print why a process ended, and who ended it", setup_why_died);
  set_examples(app,
               "  sudo bpftrap why slow -- make -j4    run make, and explain how long it took\n"
               "  bpftrap why slow                     explain trace.bpftrap\n"
               "  bpftrap why died nginx.service       explain the end of a process");
  // The app is gone when the command runs.
  auto chosen = std::make_shared<std::string>();
  app.parse_complete_callback([&app, chosen] {
    for (const CLI::App* subcommand : app.get_subcommands()) {
      *chosen = subcommand->get_name();
    }
  });
  return [runs, chosen] { return runs->at(*chosen)(); };
}

}  // namespace bpftrap
