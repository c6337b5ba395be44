// SPDX-License-Identifier: GPL-2.0-only
// The days of a simulated fleet: everyday work, and a few incidents for the questions of
// vendor/package/fleet/questions/ to find.
#pragma once

#include <cstddef>

#include "fleet/host.h"

namespace bpftrap::fleet {

// A machine of the fleet has one of these roles.
enum class Role { web, database };

struct Span {
  Time begin;
  Time end;
};

// Timers, cron jobs, containers, the service: in all about this many records, evenly spread.
void add_everyday_work(Host& host, Role role, Span span, std::size_t records);

// Restarts of the service: `before` in the week that ends a week before the end, then `after`.
void add_restarts(Host& host, Span span, int before, int after);

// People who log in, and some of whom run sudo.
void add_logins(Host& host, Span span);

// A deployment that stops the service, and an impatient operator.
void add_killings(Host& host, Time at);

// Processes of a unit and of a container that the kernel ended when memory ran out.
void add_out_of_memory(Host& host, Role role, Time at);

// A program that nobody has run before, and a shell whose standard input is a socket.
void add_intrusion(Host& host, Time at);

// A script that calls a program for each line of a file.
void add_fork_storm(Host& host, Time at, int children);

}  // namespace bpftrap::fleet
