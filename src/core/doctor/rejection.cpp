// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/rejection.h"

#include <algorithm>
#include <string_view>

namespace bpftrap {

namespace {

std::string_view trimmed(std::string_view text) {
  std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// kernel/bpf/log.c verbose_linfo(): `; TEXT @ FILE:LINE`, before 6.9 `; TEXT`.
std::string source_of(std::string_view line) {
  line.remove_prefix(1);
  std::size_t at = line.rfind(" @ ");
  if (at == std::string_view::npos) {
    return std::string(trimmed(line));
  }
  std::string source(trimmed(line.substr(at + 3)));
  std::string_view text = trimmed(line.substr(0, at));
  if (!text.empty()) {
    source.append(": ").append(text);
  }
  return source;
}

// `12: (63) *(u32 *)(r6 +16) = r0         ; R0=scalar()`: the registers are of no interest here.
bool is_instruction(std::string_view line) {
  std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  return digits > 0 && line.substr(digits).starts_with(": (");
}

std::string instruction_of(std::string_view line) {
  return std::string(trimmed(line.substr(0, line.find(" ; "))));
}

// libbpf: `libbpf: prog 'NAME': BPF program load failed: REASON`.
std::string program_of(std::string_view line) {
  constexpr std::string_view start = "prog '";
  std::size_t at = line.find(start);
  if (at == std::string_view::npos) {
    return {};
  }
  std::string_view rest = line.substr(at + start.size());
  std::size_t end = rest.find("': ");
  return end == std::string_view::npos ? std::string() : std::string(rest.substr(0, end));
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::optional<Rejection> find_rejection(std::span<const std::string> log) {
  // The verifier's last line counts instructions. A caller without privileges does not get there.
  auto last = std::find_if(log.rbegin(), log.rend(),
                           [](const std::string& line) { return line.starts_with("processed "); });
  if (last == log.rend()) {
    return std::nullopt;
  }
  Rejection rejection;
  for (auto after = last.base(); after != log.end() && rejection.program.empty(); ++after) {
    rejection.program = program_of(*after);
  }
  for (auto line = last + 1; line != log.rend() && rejection.source.empty(); ++line) {
    if (contains(*line, "BEGIN PROG LOAD LOG")) {
      break;
    }
    if (line->starts_with(";")) {
      rejection.source = source_of(*line);
    } else if (is_instruction(*line)) {
      if (rejection.instruction.empty()) {
        rejection.instruction = instruction_of(*line);
      }
    } else if (rejection.reason.empty() && rejection.instruction.empty()) {
      rejection.reason = trimmed(*line);
    }
  }
  return rejection;
}

std::vector<std::string> rejection_lines(const Rejection& rejection) {
  std::vector<std::string> lines;
  for (const std::string& line : {rejection.source, rejection.instruction, rejection.reason}) {
    if (!line.empty()) {
      lines.push_back(line);
    }
  }
  return lines;
}

}  // namespace bpftrap
