// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/diagnosis.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>

#include "core/doctor/checks.h"
#include "core/doctor/rejection.h"

namespace bpftrap {

namespace detail {

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (std::string_view part : parts) {
    all += part;
  }
  return all;
}

Check ok(std::string_view name, std::string_view meaning) {
  return {name, CheckState::ok, std::string(meaning), {}};
}

Check degraded(std::string_view name, std::string_view meaning, std::string_view fix) {
  return {name, CheckState::degraded, std::string(meaning), std::string(fix)};
}

Check missing(std::string_view name, std::string_view meaning, std::string_view fix) {
  return {name, CheckState::missing, std::string(meaning), std::string(fix)};
}

std::string message_of(int err) {
  return std::generic_category().message(err);
}

}  // namespace detail

namespace {

// `earlier` has the previous checks. If one is missing, it explains a failed load.
Check check_program(const char* name, const std::optional<Trial>& trial,
                    std::span<const Check> earlier) {
  if (!trial) {
    return detail::ok(name, "not tried");
  }
  if (trial->worked()) {
    return detail::ok(name, "load and attach");
  }
  std::string said = detail::concat({"do not load: ", detail::message_of(trial->err)});
  if (!trial->detail.empty()) {
    said += detail::concat({" (", trial->detail, ")"});
  }
  return detail::missing(name, said,
                         will_work(earlier)
                             ? "bpftrap exec --verbose --timeout 1 shows the messages of libbpf "
                               "and the verifier"
                             : "");
}

constexpr std::string_view program_names[] = {"programs of exec", "programs of exit"};

bool is_program(const Check& check) {
  return std::find(std::begin(program_names), std::end(program_names), check.name) !=
         std::end(program_names);
}

std::string list(std::span<const Check> checks, CheckState state, bool programs) {
  std::string names;
  for (const Check& check : checks) {
    if (check.state == state && is_program(check) == programs) {
      names += names.empty() ? "" : ", ";
      names += check.name;
    }
  }
  return names;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool mentions_btf(std::span<const std::string> log) {
  return log.empty() || std::any_of(log.begin(), log.end(),
                                    [](const std::string& line) { return contains(line, "BTF"); });
}

}  // namespace

std::vector<Check> diagnose(const Facts& facts) {
  std::vector<Check> checks;
  detail::check_privileges(facts, checks);
  detail::check_kernel(facts, checks);
  detail::check_surroundings(facts, checks);
  Check exec = check_program(program_names[0].data(), facts.exec, checks);
  Check exit = check_program(program_names[1].data(), facts.exit, checks);
  checks.push_back(std::move(exec));
  checks.push_back(std::move(exit));
  return checks;
}

bool will_work(std::span<const Check> checks) {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.state == CheckState::missing; });
}

std::string verdict(std::span<const Check> checks) {
  std::string less = list(checks, CheckState::degraded, false);
  if (will_work(checks)) {
    return less.empty() ? "exec and exit will work here"
                        : detail::concat({"exec and exit will work here; degraded: ", less});
  }
  std::string names = list(checks, CheckState::missing, false);
  if (names.empty()) {
    names = list(checks, CheckState::missing, true);
  }
  return detail::concat({"exec and exit will not work here; missing: ", names});
}

std::string explain_open_files(const Facts& facts) {
  return detail::concat({"RLIMIT_NOFILE allows ", std::to_string(facts.open_files_limit),
                         " open files: ", detail::fix_for_open_files});
}

std::string explain_failure(const Facts& facts, int err, std::span<const std::string> log) {
  // Comes first: without descriptors no other fact can be found out.
  if (err == EMFILE) {
    return explain_open_files(facts);
  }
  if (!facts.holds_bpf_capabilities() && !facts.user_namespace) {
    bool bpf = facts.holds(Capability::bpf), perfmon = facts.holds(Capability::perfmon);
    return detail::concat({bpf       ? "CAP_PERFMON is"
                           : perfmon ? "CAP_BPF is"
                                     : "CAP_BPF and CAP_PERFMON are",
                           " missing: ", detail::fix_for_capabilities(facts)});
  }
  for (const Check& check : diagnose(facts)) {
    // Only some commands need these.
    bool by_btf = check.name == "kernel BTF" || check.name == "tracepoints";
    if (check.state == CheckState::missing && !is_program(check) &&
        (!by_btf || mentions_btf(log))) {
      return detail::concat({check.name, ": ", check.meaning, ": ", check.fix});
    }
  }
  if (err == ENOMEM) {
    return "not enough memory for BPF maps: use a smaller --buffer-size, or raise the memory limit "
           "of this container or cgroup";
  }
  if (std::optional<Rejection> rejection = find_rejection(log)) {
    std::string program = rejection->program.empty() ? "a program" : rejection->program;
    return detail::concat({"this kernel's verifier rejects ", program,
                           "; if you did not change it, please report this with the output of "
                           "--verbose"});
  }
  if (err == EPERM || err == EACCES) {
    return detail::concat({"the kernel refuses despite CAP_BPF and CAP_PERFMON: look for ",
                           facts.seccomp
                               ? "a container's seccomp filter, or a security module's message"
                               : "a security module's message",
                           " in `sudo dmesg`"});
  }
  return "`bpftrap doctor` checks this kernel; --verbose prints all messages of libbpf";
}

std::string telling_line(std::span<const std::string> log) {
  auto end = std::find_if(log.begin(), log.end(), [](const std::string& line) {
    return contains(line, "END PROG LOAD LOG");
  });
  if (end != log.end()) {
    while (end != log.begin()) {
      --end;
      if (contains(*end, "BEGIN PROG LOAD LOG")) {
        break;
      }
      // The verifier's last line counts instructions.
      if (!end->starts_with("processed ") && !end->empty()) {
        return *end;
      }
    }
  }
  // The first line is the reason; later lines only pass it on.
  auto first = std::find_if(log.begin(), log.end(), [](const std::string& line) {
    return !contains(line, "PROG LOAD LOG") && !contains(line, "failed to load object") &&
           !contains(line, "skeleton");
  });
  return first != log.end() ? *first : std::string();
}

}  // namespace bpftrap
