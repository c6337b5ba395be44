// SPDX-License-Identifier: GPL-2.0-only
// The part of RunBuilder that takes programs.
#include "core/analysis/run_builder.h"
#include "core/analysis/time_bounds.h"

namespace bpftrap {

RunExec& RunBuilder::add_exec(Index process) {
  auto index = static_cast<Index>(run_.execs.size());
  RunExec& exec = run_.execs.grow();
  exec.process = process;
  RunProcess& owner = run_.processes[process];
  if (owner.last_exec == no_index) {
    owner.first_exec = index;
  } else {
    run_.execs[owner.last_exec].next = index;
  }
  owner.last_exec = index;
  return exec;
}

TextId RunBuilder::add_args(const Arguments& args, bool& truncated) {
  std::string_view bytes = args.bytes;
  truncated = args.truncated;
  if (bytes.size() > Texts::short_most && run_.texts.crowded()) {
    bytes = bytes.substr(0, Texts::short_most);
    truncated = true;
  }
  return run_.texts.add(bytes);
}

void RunBuilder::add_files(const ExecRecord& record, RunExec& exec) {
  exec.exe = run_.texts.add_if(usable_path(record.exe));
  exec.cwd = run_.texts.add_if(usable_path(record.cwd));
  exec.exe_deleted = is_deleted(record.exe).value_or(false);
  exec.cwd_deleted = is_deleted(record.cwd).value_or(false);
  for (std::size_t i = 0; i < record.standard_files.size(); ++i) {
    exec.standard_files[i] = run_.texts.add_if(link_text(record.standard_files[i]));
  }
}

void RunBuilder::take(const ExecRecord& record, bool earlier) {
  if (!earlier) {
    seen(record.time);
  }
  Index process = identify(record.process, record.time);
  RunExec& exec = add_exec(process);
  exec.time = bounded(record.time);
  exec.error = record.error;
  exec.exec_id = record.exec_id;
  exec.older = record.time < run_.start;
  exec.filename = run_.texts.add_if(record.filename);
  exec.interp = run_.texts.add_if(record.interp);
  exec.cap_effective = record.cap_effective;
  exec.secure = record.secure;
  if (record.args_size) {
    std::uint64_t size = std::min<std::uint64_t>(*record.args_size, NoCount::value - 1);
    exec.args_size = static_cast<std::uint32_t>(size);
  }
  if (record.args) {
    exec.args = add_args(*record.args, exec.args_truncated);
  }
  add_files(record, exec);
  if (record.error == 0) {
    run_.processes[process].executed = true;
    exec.comm = run_.texts.add(record.process.comm);
  }
}

}  // namespace bpftrap
