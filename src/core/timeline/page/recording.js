// SPDX-License-Identifier: GPL-2.0-only
// The data of the page: a line of JSON with columns of numbers, then the bytes of all texts.
// docs/timeline.md describes it.
import { baseName, decodeArguments, decodeBytes } from './text.js';
import { plural } from './units.js';

// Raw deflate in base64 → bytes.
async function inflate(base64) {
  const binary = atob(base64);
  const deflated = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    deflated[i] = binary.charCodeAt(i);
  }
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function readRecording(base64) {
  const bytes = await inflate(base64);
  const end = bytes.indexOf(0x0a);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  if (header.format !== 1) {
    throw new Error(`unknown format ${header.format}`);
  }
  return new Recording(header, bytes.subarray(end + 1));
}

// Where each element of a list begins, if element i has counts[i] parts.
function offsetsOf(counts) {
  const offsets = new Float64Array(counts.length + 1);
  counts.forEach((count, i) => { offsets[i + 1] = offsets[i] + count; });
  return offsets;
}

export const Outcome = { unknown: 0, success: 1, failure: 2, signal: 3 };

export class Recording {
  #textBytes;
  #textOffsets;
  #texts = new Map();

  constructor(header, textBytes) {
    this.header = header;
    this.processes = header.processes;
    this.execs = header.execs;
    this.identities = header.identities;
    this.losses = header.losses;
    this.chain = header.chain;
    this.#textBytes = textBytes;
    this.#textOffsets = offsetsOf(header.texts);
    this.count = this.processes.pid.length;
    this.end = header.end;
    this.firstExec = offsetsOf(this.processes.execs);
    this.#readTimes();
    this.#findBegin();
    this.#readOutcomes();
    this.#readPrograms();
    this.#linkChildren();
  }

  get textCount() {
    return this.header.texts.length;
  }

  textBytes(id) {
    return this.#textBytes.subarray(this.#textOffsets[id], this.#textOffsets[id + 1]);
  }

  // Null for -1, which means none.
  text(id) {
    if (id < 0) {
      return null;
    }
    let text = this.#texts.get(id);
    if (text === undefined) {
      text = decodeBytes(this.textBytes(id));
      this.#texts.set(id, text);
    }
    return text;
  }

  // Starts are stored as differences. A process without an end lives to the end of the recording.
  #readTimes() {
    this.start = new Float64Array(this.count);
    this.stop = new Float64Array(this.count);
    this.ended = new Uint8Array(this.count);
    let start = 0;
    for (let i = 0; i < this.count; i++) {
      start += this.processes.start[i];
      this.start[i] = start;
      const duration = this.processes.duration[i];
      this.ended[i] = duration === null ? 0 : 1;
      this.stop[i] = duration === null ? Math.max(this.end, start) : start + duration;
    }
  }

  // PROGRAM is forked just before the recording is live.
  #findBegin() {
    const isPart = (i) => this.header.has_program || !this.processes.older[i];
    this.begin = this.start.reduce((least, start, i) => isPart(i) ? Math.min(least, start) : least, 0);
  }

  #readOutcomes() {
    this.outcome = new Uint8Array(this.count);
    this.failures = 0;
    this.processes.status.forEach((status, i) => {
      this.outcome[i] = status === null ? Outcome.unknown
        : (status & 127) !== 0 ? Outcome.signal : status !== 0 ? Outcome.failure : Outcome.success;
      this.failures += this.outcome[i] > Outcome.success ? 1 : 0;
    });
  }

  // Programs have numbers. A process without an exec runs its parent's program; its comm names it.
  #readPrograms() {
    this.programNames = [];
    const numbers = new Map();
    const number = (name) => {
      let known = numbers.get(name);
      if (known === undefined) {
        known = this.programNames.push(name) - 1;
        numbers.set(name, known);
      }
      return known;
    };
    const { args, filename } = this.execs;
    this.execProgram = Int32Array.from(args, (id, i) => number(this.#programName(id < 0 ? filename[i] : id)));
    this.program = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const last = this.lastExec(i);
      this.program[i] = last < 0 ? number(this.text(this.processes.comm[i]) ?? '?') : this.execProgram[last];
    }
  }

  // The last part of the first argument.
  #programName(textId) {
    if (textId < 0) {
      return '?';
    }
    const bytes = this.textBytes(textId);
    const end = bytes.indexOf(0);
    return baseName(decodeBytes(end < 0 ? bytes : bytes.subarray(0, end)));
  }

  #linkChildren() {
    this.parent = Int32Array.from(this.processes.parent);
    const { start, stop } = this;
    this.byStart = Uint32Array.from(start.keys()).sort((a, b) => start[a] - start[b] || stop[a] - stop[b] || a - b);
    const counts = new Uint32Array(this.count);
    this.parent.forEach((parent) => { if (parent >= 0) { counts[parent]++; } });
    this.firstChild = offsetsOf(counts);
    this.children = new Uint32Array(this.firstChild[this.count]);
    const next = this.firstChild.slice();
    this.byStart.forEach((child) => {
      if (this.parent[child] >= 0) {
        this.children[next[this.parent[child]]++] = child;
      }
    });
  }

  // Children by birth, in the order of their starts.
  childrenOf(process) {
    return this.children.subarray(this.firstChild[process], this.firstChild[process + 1]);
  }

  // The execs of a process are neighbours. Those that failed are among them.
  execsOf(process) {
    const execs = [];
    for (let i = this.firstExec[process]; i < this.firstExec[process + 1]; i++) {
      execs.push(i);
    }
    return execs;
  }

  // The last one that did not fail, -1 if there is none.
  lastExec(process) {
    for (let i = this.firstExec[process + 1] - 1; i >= this.firstExec[process]; i--) {
      if (this.execs.error[i] === 0) {
        return i;
      }
    }
    return -1;
  }

  // The program that a process runs at its start: that of its parent at this time.
  inheritedProgram(process) {
    const parent = this.parent[process];
    if (parent < 0) {
      return this.program[process];
    }
    let program = -1;
    for (const exec of this.execsOf(parent)) {
      if (this.execs.error[exec] === 0 && this.execTime(parent, exec) <= this.start[process]) {
        program = this.execProgram[exec];
      }
    }
    return program < 0 ? this.program[process] : program;
  }

  // An exec before the recording has no time.
  execTime(process, exec) {
    const at = this.execs.at[exec];
    return at === null ? -Infinity : this.start[process] + at;
  }

  argsOf(exec) {
    const id = this.execs.args[exec];
    return id < 0 ? [] : decodeArguments(this.textBytes(id));
  }

  name(process) {
    return this.programNames[this.program[process]];
  }

  cpu(process) {
    return this.processes.cpu_user[process] + this.processes.cpu_sys[process];
  }

  // Shares of the lifetime: on a CPU, waiting for one. The rest is blocked. Several threads can use more
  // CPU time than the process lived, so the shares are cut to 1.
  shares(process) {
    const duration = this.stop[process] - this.start[process];
    if (!this.ended[process] || duration <= 0) {
      return [0, 0];
    }
    const cpu = Math.min(this.cpu(process) / duration, 1);
    return [cpu, Math.min((this.processes.cpu_wait[process] ?? 0) / duration, 1 - cpu)];
  }

  signalName(number) {
    return this.header.signals[number] ?? `signal ${number}`;
  }

  // `exit 1`, `SIGSEGV`
  statusLabel(process) {
    const status = this.processes.status[process];
    if (status === null) {
      return this.ended[process] ? 'unknown status' : 'still running';
    }
    return (status & 127) !== 0 ? this.signalName(status & 127) : `exit ${(status >> 8) & 255}`;
  }

  // The id of the JSON stream: PID-START.
  id(process) {
    const start = this.header.exact_starts?.[process] ??
      BigInt(this.header.begin_boot_ns) + BigInt(this.start[process]);
    return `${this.processes.pid[process]}-${start}`;
  }

  // The parts of the recording that the page lacks, in words.
  gaps() {
    const { header } = this;
    const lost = this.losses.count.reduce((sum, n) => sum + n, 0);
    return [
      header.earlier_boots > 0 ? `the last boot only, without ${plural(header.earlier_boots, 'earlier one')}` : '',
      lost > 0 ? `${plural(lost, 'record')} lost` : '',
      header.missing_batches > 0 ? `${plural(header.missing_batches, 'batch', 'batches')} of records missing` : '',
      header.malformed > 0 ? `${plural(header.malformed, 'record')} not understood` : '',
      header.complete ? '' : 'the recorder did not end',
    ].filter((gap) => gap !== '');
  }

  wallTime(ns) {
    return new Date(this.header.begin_wall_ms + ns / 1e6);
  }
}
