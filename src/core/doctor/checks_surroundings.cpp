// SPDX-License-Identifier: GPL-2.0-only
// Checks of mounts and namespaces.
#include <cerrno>

#include "core/doctor/checks.h"
#include "core/os/clock.h"
#include "core/text/text.h"

namespace bpftrap::detail {

namespace {

Check check_proc(const Facts& facts) {
  constexpr const char* name = "/proc";
  return facts.proc
             ? ok(name, "mounted")
             : missing(name, "not mounted: bpftrap reads older processes and its own files there",
                       "sudo mount -t proc proc /proc");
}

Check check_cgroup(const Facts& facts) {
  constexpr const char* name = "cgroup v2";
  if (facts.cgroup2) {
    return ok(name, "mounted");
  }
  return degraded(name, "not mounted: `cgroup` is null and --cgroup does not work",
                  "sudo mkdir -p /run/cgroup2 && sudo mount -t cgroup2 cgroup2 /run/cgroup2");
}

Check check_pid_namespace(const Facts& facts) {
  constexpr const char* name = "pid namespace";
  if (!facts.pid_namespace) {
    return ok(name, "the initial one");
  }
  if (facts.pid_translation && facts.pid_translation->worked()) {
    return ok(name,
              "a container's: options and tables have its process ids, and `-` for processes "
              "outside; JSON has both");
  }
  if (!facts.pid_translation) {
    return ok(name, "a container's; not tried whether its process ids can be translated");
  }
  return degraded(name,
                  concat({"a container's, whose process ids cannot be translated (",
                          message_of(facts.pid_translation->err),
                          "): --pid, --tree and -- PROGRAM do not work"}),
                  "start the container with --pid=host");
}

Check check_tracefs(const Facts& facts) {
  constexpr const char* name = "tracefs";
  if (!facts.tracefs) {
    return ok(name, "not tried; only hello needs it");
  }
  if (facts.tracefs->worked()) {
    return ok(name, facts.tracefs->detail + "; only hello needs it");
  }
  return degraded(name,
                  concat({"not available (", message_of(facts.tracefs->err),
                          "): hello does not work; exec and exit do not need it"}),
                  !facts.sysfs ? "sudo mount -t sysfs sysfs /sys"
                  : facts.tracefs->err == EACCES
                      ? "sudo bpftrap hello"
                      : "sudo mount -t tracefs tracefs /sys/kernel/tracing, or sudo bpftrap hello");
}

// Returns `2026-11-17 14:00:00.123 to 2026-11-18 14:00:00.123, 1.2 GB, 0 lost`.
std::string describe(const RecorderFacts& recorder) {
  if (!recorder.first_wall_ns) {
    return "no records yet";
  }
  TimestampFormatter formatter(TimestampFormatter::Zone::local, true);
  std::string text;
  formatter.append_time_of_day(text, {*recorder.first_wall_ns});
  text += " to ";
  formatter.append_time_of_day(text, {recorder.last_wall_ns});
  text += ", ";
  append_human_size(text, recorder.bytes);
  return text +
         (recorder.lost ? ", " + std::to_string(*recorder.lost) + " lost" : ", unknown losses");
}

Check check_recorder(const RecorderFacts& recorder) {
  constexpr const char* name = "recorder";
  if (recorder.err != 0) {
    return degraded(name, concat({"its records cannot be read (", message_of(recorder.err), ")"}),
                    recorder.err == EACCES ? "sudo bpftrap doctor, or join the group adm"
                                           : "bpftrap show --system tells more");
  }
  if (!recorder.runs && !recorder.first_wall_ns) {
    return ok(name, "installed, but not enabled");
  }
  std::string records = describe(recorder);
  if (!recorder.runs) {
    return degraded(name, concat({"installed, but does not run; ", records}),
                    "sudo systemctl enable --now bpftrap");
  }
  if (!recorder.lost) {
    return degraded(name, concat({"runs; ", records}), "bpftrap show --system tells more");
  }
  return recorder.lost == 0
             ? ok(name, concat({"runs; ", records}))
             : degraded(name, concat({"runs; ", records}), "a larger --buffer-size, or a filter");
}

}  // namespace

void check_surroundings(const Facts& facts, std::vector<Check>& checks) {
  for (auto check : {check_proc, check_cgroup, check_pid_namespace, check_tracefs}) {
    checks.push_back(check(facts));
  }
  if (facts.recorder) {
    checks.push_back(check_recorder(*facts.recorder));
  }
}

}  // namespace bpftrap::detail
