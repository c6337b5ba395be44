// SPDX-License-Identifier: GPL-2.0-only
// An exporter makes one file of the records of a recording: a sink whose output is no list of
// records.
//
// A new one is a class here, constructed from a SinkSetup, and one line in
// src/cli/export_options.cpp. `record` and `show` then offer it.
#pragma once

#include <memory>
#include <string>

#include "core/output/sink.h"

namespace bpftrap {

class Exporter : public Sink {
 public:
  // After finish(): what the file contains, such as `27 entries`.
  virtual std::string summary() const = 0;
};

using MakeExporter = std::unique_ptr<Exporter> (*)(const SinkSetup& setup);

// The MakeExporter of a class.
template <class AnyExporter>
std::unique_ptr<Exporter> make_exporter(const SinkSetup& setup) {
  return std::make_unique<AnyExporter>(setup);
}

}  // namespace bpftrap
