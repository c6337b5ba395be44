// SPDX-License-Identifier: GPL-2.0-only
#include "bench/recording/processes.h"

#include <cstring>
#include <span>

#include "unit/wire.h"

namespace bpftrap {

namespace {

std::string_view text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void MadeUpProcesses::begin() {
  fork(0, 999, begin_ns / 2);
  execute(0, std::string_view("make\0all\0", 9));
}

void MadeUpProcesses::run_next() {
  Pid number = next_++;
  bool is_shell = number % 10 == 1;
  if (is_shell) {
    if (shell_ != 0) {
      finish(shell_, 0);
    }
    shell_ = number;
  }
  Pid parent = is_shell ? 0 : shell_;
  fork(number, pid_of(parent), start_of(parent));
  std::string args = is_shell ? "sh" : "cc";
  args.append(1, '\0').append("-c").append(1, '\0');
  args.append("source/file" + std::to_string(number) + ".c").append(1, '\0');
  if (noise_ > 0) {
    args.append(hex_noise()).append(1, '\0');
  }
  execute(number, args);
  if (!is_shell) {
    finish(number, parent);
  }
}

std::string MadeUpProcesses::hex_noise() {
  std::string text(noise_, '\0');
  for (char& digit : text) {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    digit = "0123456789abcdef"[random_ >> 60];
  }
  return text;
}

void MadeUpProcesses::end() {
  finish(shell_, 0);
  finish(0, 0);
}

void MadeUpProcesses::add_state(const std::function<void(std::string_view)>& add) const {
  for (const std::string* exec : {&make_exec_, &shell_exec_}) {
    if (!exec->empty()) {
      add(with_kind(std::as_bytes(std::span(*exec)), recorded_last_exec));
    }
  }
}

void MadeUpProcesses::add(std::string_view record) {
  ++records_;
  add_(record);
}

template <class Wire>
void MadeUpProcesses::name(Wire& event, Pid number) const {
  event.process.pid = event.process.local_pid = event.process.ns_pid = pid_of(number);
  event.process.start_boot_ns = start_of(number);
  event.process.ppid = parent_pid_;
  event.process.parent_start_boot_ns = parent_start_;
  event.header.boot_ns = now_;
}

void MadeUpProcesses::fork(Pid number, Pid parent, std::uint64_t parent_start) {
  bpftrap_fork_event event = wire_fork();
  now_ = start_of(number);
  parent_pid_ = parent;
  parent_start_ = parent_start;
  name(event, number);
  event.account = {now_ / 10, 600, now_ / step_ns_, parent, 0};
  event.creator_pid = parent;
  event.creator_start_boot_ns = parent_start;
  event.flags = BPFTRAP_FORK_WANTED;
  add(text_of(bytes_of(event)));
}

void MadeUpProcesses::execute(Pid number, std::string_view args) {
  now_ += step_ns_ / 5;
  Bytes bytes = wire_exec("/usr/bin/cc", "", args, args.size());
  bpftrap_exec_event event;
  std::memcpy(&event, bytes.data(), sizeof event);
  name(event, number);
  std::memcpy(bytes.data(), &event, sizeof event);
  if (number == 0) {
    make_exec_ = text_of(bytes);
  } else if (number == shell_) {
    shell_exec_ = text_of(bytes);
  }
  add(text_of(bytes));
}

void MadeUpProcesses::finish(Pid number, Pid parent) {
  bpftrap_exit_event event = wire_exit(0);
  now_ += step_ns_ / 5;
  parent_pid_ = number == 0 ? 999 : pid_of(parent);
  parent_start_ = number == 0 ? begin_ns / 2 : start_of(parent);
  name(event, number);
  event.flags |= BPFTRAP_EXIT_EXECUTED;
  event.parent = {now_ / 10, 600, now_ / step_ns_, parent_pid_, 1};
  add(text_of(bytes_of(event)));
}

}  // namespace bpftrap
