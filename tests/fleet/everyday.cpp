// SPDX-License-Identifier: GPL-2.0-only
#include "fleet/activity.h"

namespace bpftrap::fleet {

namespace {

Surroundings in_unit(std::string unit, std::uint32_t uid = 0) {
  return {"/system.slice/" + std::move(unit), uid};
}

Surroundings in_container(char digit) {
  return {"/system.slice/docker-" + std::string(64, digit) + ".scope", 0};
}

End with_cpu(Time cpu) {
  End end;
  end.cpu = cpu;
  return end;
}

constexpr int exit_1 = 1 << 8;
constexpr int exit_7 = 7 << 8;

// The processes that start all others.
struct Residents {
  explicit Residents(Host& host)
      : systemd(host.init()),
        cron(host.resident("cron")),
        thumbnails(host.resident("thumbnailer")),
        reports(host.resident("scheduler")),
        exporter(host.resident("node_exporter")),
        postgres(host.resident("postgres")) {}
  Process systemd, cron, thumbnails, reports, exporter, postgres;
};

// A cron job: a shell, and its child. The child fails now and then, and the shell with it.
void check_health(Host& host, const Residents& by, Time at, std::uint64_t fails_one_in) {
  Surroundings cron = in_unit("cron.service");
  int status = host.random().one_in(fails_one_in) ? exit_7 : 0;
  Process shell = host.fork(at, by.cron, cron);
  host.exec(at + ms / 5, shell, by.cron, cron,
            {"/usr/bin/dash", {"/bin/sh", "-c", "health-check"}, {}, "/bin/sh"});
  End end = with_cpu(4 * ms);
  end.wait_status = status;
  host.run(at + ms, 12 * ms, shell, cron,
           {"/usr/bin/curl", {"curl", "-fsS", "http://127.0.0.1:8080/health"}}, end);
  end.cpu = ms;
  host.end(at + 14 * ms, shell, by.cron, cron, end);
}

void make_thumbnail(Host& host, const Residents& by, Time at) {
  std::string name = "photo-" + std::to_string(host.random().below(100'000));
  End end = with_cpu(40 * ms + static_cast<Time>(host.random().below(40)) * ms);
  end.wait_status = host.random().one_in(50) ? exit_1 : 0;
  host.run(at, 110 * ms, by.thumbnails, in_container('a'),
           {"/usr/bin/convert", {"convert", name + ".png", "-resize", "320x", name + ".jpg"}}, end);
}

void make_report(Host& host, const Residents& by, Time at) {
  host.run(at, 700 * ms, by.reports, in_container('b'),
           {"/usr/bin/python3.11", {"python3", "/srv/report.py", "--hourly"}},
           with_cpu(500 * ms + static_cast<Time>(host.random().below(100)) * ms));
}

void look_at_disks(Host& host, const Residents& by, Time at) {
  host.run(at, 3 * ms, by.exporter, in_unit("node-exporter.service", 998),
           {"/usr/bin/df", {"df", "-P", "-k"}});
}

void dump_database(Host& host, const Residents& by, Time at) {
  Surroundings cron = in_unit("cron.service", 105);
  Process shell = host.fork(at, by.cron, cron);
  host.exec(at + ms / 5, shell, by.cron, cron,
            {"/usr/bin/dash", {"/bin/sh", "-c", "pg_dump shop | gzip > shop.gz"}, {}, "/bin/sh"});
  host.run(at + ms, 9 * second, shell, cron, {"/usr/bin/pg_dump", {"pg_dump", "shop"}},
           with_cpu(2 * second));
  host.run(at + 2 * ms, 9 * second, shell, cron, {"/usr/bin/gzip", {"gzip"}}, with_cpu(6 * second));
  host.end(at + 9 * second + 20 * ms, shell, by.cron, cron, with_cpu(ms));
}

// A connection: a fork of the server, which executes nothing.
void connect(Host& host, const Residents& by, Time at) {
  Surroundings server = in_unit("postgresql.service", 105);
  Process backend = host.fork(at, by.postgres, server);
  host.end(at + static_cast<Time>(host.random().below(20'000)) * ms, backend, by.postgres, server,
           with_cpu(30 * ms));
}

// A script that looks for a program that is not there.
void look_for_program(Host& host, const Residents& by, Time at) {
  Surroundings unit = in_unit("telemetry.service", 997);
  Process process = host.fork(at, by.systemd, unit);
  host.exec(at + ms, process, by.systemd, unit,
            {"/usr/bin/dash", {"/bin/sh", "-c", "exec nvidia-smi -q"}, {}, "/bin/sh"});
  at += 2 * ms;
  for (const char* directory : {"/usr/local/bin/", "/usr/bin/"}) {
    at += ms / 5;
    host.exec(at, process, by.systemd, unit,
              {"/usr/bin/dash",
               {"nvidia-smi", "-q"},
               {},
               std::string(directory) + "nvidia-smi",
               0,
               false,
               ENOENT});
  }
  host.end(at + ms, process, by.systemd, unit, {127 << 8});
}

}  // namespace

void add_everyday_work(Host& host, Role role, Span span, std::size_t records) {
  Residents by(host);
  Random& random = host.random();
  auto length = static_cast<std::uint64_t>(span.end - span.begin);
  while (host.records() < records) {
    Time at = span.begin + static_cast<Time>(random.below(length));
    std::uint64_t dice = random.below(100);
    if (role == Role::database) {
      dice < 3    ? dump_database(host, by, at)
      : dice < 70 ? connect(host, by, at)
                  : look_at_disks(host, by, at);
    } else if (dice < 40) {
      check_health(host, by, at, at > span.end - 7 * day ? 40 : 400);
    } else if (dice < 70) {
      make_thumbnail(host, by, at);
    } else if (dice < 78) {
      make_report(host, by, at);
    } else if (dice < 99) {
      look_at_disks(host, by, at);
    } else {
      look_for_program(host, by, at);
    }
  }
}

}  // namespace bpftrap::fleet
