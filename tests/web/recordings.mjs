// SPDX-License-Identifier: GPL-2.0-only
// Made-up recordings in the format of the page (docs/timeline.md). A seed decides everything, so that a
// failure repeats.
import fs from 'node:fs';
import zlib from 'node:zlib';

// mulberry32
export function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ms = 1e6;

// Collects processes and writes them as columns.
export class Writer {
  processes = [];
  execs = [];
  #texts = [Buffer.alloc(0)];
  #ids = new Map([['', 0]]);

  constructor(header = {}) {
    this.header = {
      format: 1, bpftrap: '0.1.0', host: 'example', kernel: '6.18.0', boot_id: 'c0ffee', command: 'make -j8', cpus: 8,
      has_program: true, filtered: false, begin_boot_ns: '1234567890123', begin_wall_ms: 1795000000123.456, complete: true,
      earlier_boots: 0, missing_batches: 0, malformed: 0, users: { 0: 'root', 1000: 'me' },
      signals: { 6: 'SIGABRT', 9: 'SIGKILL', 11: 'SIGSEGV', 15: 'SIGTERM' }, errors: { 2: 'ENOENT', 13: 'EACCES' },
      losses: { since: [], at: [], count: [] }, chain: null,
      ...header,
    };
  }

  // A text, or bytes; null is none.
  text(value) {
    if (value === null || value === undefined) {
      return -1;
    }
    const bytes = Buffer.from(value);
    const key = bytes.toString('latin1');
    if (!this.#ids.has(key)) {
      this.#ids.set(key, this.#texts.length);
      this.#texts.push(bytes);
    }
    return this.#ids.get(key);
  }

  args(words) {
    return this.text(Buffer.concat(words.flatMap((word) => [Buffer.from(word), Buffer.from([0])])));
  }

  // Times in ns. `execs`: [{ at, args, … }], `at` from the start of the process.
  add({ parent = -1, start, duration, comm, execs = [], status = 0, cpu = 0, wait = 0, ...rest }) {
    const whole = (ns) => ns === null ? null : Math.round(ns);
    this.processes.push({
      parent, start: whole(start), duration: whole(duration), comm, execs, status, cpu: whole(cpu), wait: whole(wait), ...rest,
    });
    return this.processes.length - 1;
  }

  page(template) {
    const { processes } = this;
    let before = 0;
    const column = (value) => processes.map(value);
    const execs = processes.flatMap((p) => p.execs);
    const path = (exec) => exec.filename ?? `/usr/bin/${String(exec.args[0]).replace(/.*\//, '')}`;
    const header = {
      ...this.header,
      end: this.header.end ?? Math.max(...processes.map((p) => p.start + (p.duration ?? 0))),
      processes: {
        pid: column((p, i) => p.pid ?? 1000 + i),
        local_pid: column((p, i) => p.pid ?? 1000 + i),
        ns_pid: column((p, i) => p.nsPid ?? p.pid ?? 1000 + i),
        parent_blocked: column((p) => p.duration === null ? null : 1),
        start: column((p) => { const difference = p.start - before; before = p.start; return difference; }),
        duration: column((p) => p.duration),
        parent: column((p) => p.parent),
        creator: column((p) => p.parent),
        end_parent: column((p) => p.endParent ?? p.parent),
        uid: column(() => 1000),
        comm: column((p) => this.text(p.comm.slice(0, 15))),
        cgroup: column(() => this.text('/user.slice/user-1000.slice/session-3.scope')),
        unit: column(() => this.text('session-3.scope')),
        container: column(() => -1),
        identity: column(() => 0),
        status: column((p) => p.duration === null ? null : p.status),
        oom_killed: column((p) => p.oomKilled ? 1 : 0),
        older: column((p) => p.start < 0 ? 1 : 0),
        cpu_user: column((p) => Math.round(p.cpu * 0.8)),
        cpu_sys: column((p) => p.cpu - Math.round(p.cpu * 0.8)),
        cpu_wait: column((p) => p.wait),
        max_rss: column((p) => 4096 * Math.round(500 + (p.cpu / ms) * 3)),
        peak_rss: column((p) => 4096 * Math.round(400 + (p.cpu / ms) * 3)),
        io_read: column(() => 0),
        io_write: column((p) => 4096 * Math.round(p.cpu / ms)),
        minor_faults: column((p) => Math.round(p.cpu / 5000)),
        major_faults: column(() => 0),
        voluntary_switches: column((p) => Math.round(p.duration / 3e7)),
        involuntary_switches: column((p) => Math.round(p.wait / 3e6)),
        execs: column((p) => p.execs.length),
      },
      execs: {
        at: execs.map((exec) => Math.round(exec.at ?? 0)),
        filename: execs.map((exec) => this.text(path(exec))),
        exe: execs.map((exec) => this.text(path(exec))),
        cwd: execs.map((exec) => this.text(exec.cwd ?? '/home/me/project/build')),
        args: execs.map((exec) => this.args(exec.args)),
        interp: execs.map(() => -1),
        stdin: execs.map(() => -1), stdout: execs.map(() => -1), stderr: execs.map(() => -1),
        error: execs.map((exec) => exec.error ?? 0),
        truncated: execs.map((exec) => exec.truncated ? 1 : 0),
        args_size: execs.map((exec) => exec.argsSize ?? 100),
        cap_effective: execs.map((exec) => exec.capabilities ?? 0),
        secure: execs.map((exec) => exec.secure ? 1 : 0),
        exe_deleted: execs.map((exec) => exec.exeDeleted ? 1 : 0),
        cwd_deleted: execs.map((exec) => exec.cwdDeleted ? 1 : 0),
      },
      identities: {
        gid: [1000], euid: [0], egid: [1000], login_uid: [1000], audit_session: [3], session_id: [900], process_group: [950],
        pid_ns_inode: [4026531836], tty: [this.text('pts/3')],
      },
      senders: {
        process: [], killer: [], killer_comm: [], last: [], last_comm: [], last_signal: [], last_age: [],
        ...this.senders,
      },
    };
    header.texts = this.#texts.map((bytes) => bytes.length);
    const data = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...this.#texts]);
    const element = '<script id="data" type="application/octet-stream">';
    const html = fs.readFileSync(template, 'utf8');
    if (!html.includes(element)) {
      throw new Error(`${template} has no element for the data`);
    }
    return html.replace(element, () => element + zlib.deflateRawSync(data, { level: 6 }).toString('base64'));
  }
}

const flags = ['-DNDEBUG', '-O2', '-std=c++20', '-Wall', '-Wextra', '-Werror', '-ffunction-sections', '-fdata-sections',
               '-I../include', '-I../src', '-isystem', '/usr/include/fmt', '-fno-omit-frame-pointer', '-g1'];

// One job of a build: a shell, a compiler driver, a compiler and an assembler. Returns its end.
function addJob(writer, random, parent, start, number) {
  const source = `../src/part${number % 97}/unit_${number}.cpp`;
  const object = `CMakeFiles/all.dir/src/part${number % 97}/unit_${number}.cpp.o`;
  const compile = (20 + 400 * random() ** 3) * ms;
  const assemble = compile * 0.1 + 2 * ms;
  const fails = random() < 0.01;
  const crashes = random() < 0.003;
  const wait = compile * random() * 0.4;
  const end = start + 3 * ms + compile + wait + (fails || crashes ? 0 : assemble) + ms;
  const status = fails || crashes ? 1 << 8 : 0;
  const sh = writer.add({
    parent, start, duration: end - start, comm: 'sh', status, cpu: 0.6 * ms,
    execs: [{ at: 0.5 * ms, args: ['/bin/sh', '-c', `g++ ${flags.join(' ')} -o ${object} -c ${source}`] }],
  });
  const driver = writer.add({
    parent: sh, start: start + 1 * ms, duration: end - start - 1.2 * ms, comm: 'g++', status, cpu: 1.1 * ms,
    execs: [{ at: 0.3 * ms, args: ['g++', ...flags, '-o', object, '-c', source] }],
  });
  const cc1 = '/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus';
  writer.add({
    parent: driver, start: start + 2.5 * ms, duration: compile + wait, comm: 'cc1plus',
    status: crashes ? 11 | 128 : status, cpu: compile * 0.98, wait,
    execs: [{ at: 0.4 * ms, filename: cc1,
              args: [cc1, '-quiet', ...flags, '-dumpbase', `unit_${number}.cpp`, source, '-o', `/tmp/cc${number}.s`] }],
  });
  if (!fails && !crashes) {
    writer.add({
      parent: driver, start: start + 3 * ms + compile + wait, duration: assemble, comm: 'as', cpu: assemble * 0.9,
      execs: [{ at: 0.3 * ms, args: ['as', '--64', '-o', object, `/tmp/cc${number}.s`] }],
    });
  }
  return end;
}

// A build with so many jobs, of which `parallel` run at a time.
export function makeBuild({ jobs = 100, parallel = 8, seed = 1, header = {} } = {}) {
  const random = randomNumbers(seed);
  const writer = new Writer({ cpus: parallel, command: `make -j${parallel}`, ...header });
  const make = writer.add({
    start: 0, duration: 0, comm: 'make', cpu: jobs * 0.2 * ms, execs: [{ at: 0.7 * ms, args: ['make', `-j${parallel}`] }],
  });
  const free = new Array(parallel).fill(8 * ms);
  for (let number = 0; number < jobs; number++) {
    const slot = free.indexOf(Math.min(...free));
    free[slot] = addJob(writer, random, make, free[slot] + 0.3 * ms + random() * ms, number) + 0.5 * ms;
  }
  const compiled = Math.max(...free);
  const link = (300 + 3 * Math.min(jobs, 3000)) * ms;
  writer.add({
    parent: make, start: compiled + ms, duration: link, comm: 'ld', cpu: link * 0.7,
    execs: [{ at: ms / 2, args: ['ld', '-o', 'program', '--gc-sections', '@objects.rsp'] }],
  });
  writer.processes[make].duration = Math.round(compiled + link + 3 * ms);
  return writer;
}
