// SPDX-License-Identifier: GPL-2.0-only
// The panel with everything that is known of a process.
import { copyText, element } from './dom.js';
import { Outcome } from './recording.js';
import { printable, shellCommand } from './text.js';
import { formatBytes, formatCount, formatDuration, formatMoment, plural } from './units.js';

const mostChildren = 100;

export class Details {
  // `select(process)` shows another process, `zoom(process)` zooms to one, `close()` hides the panel.
  constructor(panel, recording, actions) {
    this.panel = panel;
    this.recording = recording;
    this.actions = actions;
  }

  // The command line of the last exec that did not fail, as a shell reads it.
  command(process) {
    const { recording } = this;
    const exec = recording.lastExec(process);
    return exec < 0 ? null : shellCommand(recording.argsOf(exec));
  }

  hide() {
    this.panel.hidden = true;
    this.panel.replaceChildren();
  }

  show(process) {
    this.panel.replaceChildren(
      this.#heading(process), this.#status(process), this.#commandBlock(process), this.#shares(process),
      this.#times(process), this.#cost(process), this.#identity(process), this.#place(process),
      this.#execs(process), this.#children(process));
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
  }

  #link(process, text = null) {
    const { recording } = this;
    const label = text ?? `${printable(recording.name(process))}[${recording.processes.pid[process]}]`;
    return element('button', {
      className: 'link', textContent: label, onclick: () => this.actions.select(process),
    });
  }

  #heading(process) {
    const { recording, actions } = this;
    return element('header', {},
      element('h2', {},
        element('span', { className: `swatch program-${actions.color(process)}` }),
        element('bdi', { textContent: printable(recording.name(process)) }),
        element('small', { textContent: ` ${recording.processes.pid[process]}` })),
      element('button', { className: 'icon', title: 'Zoom to it (z)', textContent: '⤢',
                          ariaLabel: 'Zoom to it', onclick: () => actions.zoom(process) }),
      element('button', { className: 'icon', title: 'Close (Esc)', textContent: '✕', ariaLabel: 'Close',
                          onclick: () => actions.close() }));
  }

  #status(process) {
    const { recording } = this;
    const outcome = recording.outcome[process];
    const { oom_killed: oomKilled, status } = recording.processes;
    const words = outcome === Outcome.success ? ['✓ exit 0']
      : [outcome === Outcome.unknown ? '' : outcome === Outcome.signal ? '◆ ' : '✕ ', recording.statusLabel(process)];
    if (outcome === Outcome.signal && (status[process] & 128) !== 0) {
      words.push(' (core dumped)');
    }
    const signals = this.#signals(process);
    const sender = signals?.killer ?? null;
    return element('p', { className: `status ${outcome > Outcome.success ? 'failed' : ''}` },
      words.join(''),
      oomKilled[process] ? ' by oom-killer' : null,
      sender ? element('span', {}, ' from ', sender) : null);
  }

  // Senders as links, if the recording has them.
  #signals(process) {
    const { recording } = this;
    const { signals } = recording.header;
    const table = recording.header.senders;
    const at = table.process.indexOf(process);
    if (at < 0) {
      return null;
    }
    const sender = (index, comm) => index >= 0 ? this.#link(index)
      : comm >= 0 ? element('bdi', { textContent: printable(recording.text(comm)) }) : null;
    return {
      killer: sender(table.killer[at], table.killer_comm[at]),
      last: sender(table.last[at], table.last_comm[at]),
      lastSignal: table.last_signal[at] ? signals[table.last_signal[at]] : null,
      lastAge: table.last_age[at],
    };
  }

  #commandBlock(process) {
    const command = this.command(process);
    if (command === null) {
      return element('p', { className: 'note', textContent: 'It executed nothing: it ran its parent\'s program.' });
    }
    const button = element('button', { className: 'copy', textContent: 'Copy command', title: 'Copy command (c)' });
    button.onclick = async () => {
      await copyText(command);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy command'; }, 1200);
    };
    const exec = this.recording.lastExec(process);
    const size = this.recording.execs.args_size[exec];
    const of = size === null ? '' : ` of their ${formatBytes(size)}`;
    return element('div', { className: 'command' },
      element('pre', { dir: 'ltr' }, element('bdi', { textContent: printable(command) })),
      this.recording.execs.truncated[exec]
        ? element('p', { className: 'note', textContent: `Only a part of the arguments${of} was recorded.` }) : null,
      button);
  }

  // CPU, waiting and blocked as one bar.
  #shares(process) {
    const { recording } = this;
    if (!recording.ended[process] || recording.processes.cpu_user[process] === null) {
      return null;
    }
    const duration = recording.stop[process] - recording.start[process];
    const [cpu, waiting] = recording.shares(process);
    const parts = [['cpu', 'CPU', cpu], ['waiting', 'waiting for a CPU', waiting], ['blocked', 'blocked', 1 - cpu - waiting]];
    const bar = element('div', { className: 'shares' }, ...parts.map(([name, , share]) => {
      const part = element('span', { className: name });
      part.style.flexGrow = share;
      return part;
    }));
    const cpus = recording.cpu(process) / Math.max(duration, 1);
    const words = parts.map(([name, title, share]) => element('span', {},
      element('span', { className: `swatch ${name}` }),
      `${title} ${name === 'cpu' && cpus > 1.005 ? `${cpus.toFixed(2)} CPUs` : `${Math.round(share * 100)} %`}`));
    return element('div', {}, bar, element('p', { className: 'key' }, ...words));
  }

  // A titled list of facts. Those without a value are left out.
  #facts(title, facts) {
    const known = facts.filter(([, value]) => value !== null && value !== undefined);
    if (known.length === 0) {
      return null;
    }
    const list = element('dl');
    for (const [name, value] of known) {
      list.append(element('dt', { textContent: name }),
                  element('dd', {}, typeof value === 'string' ? element('bdi', { textContent: value }) : value));
    }
    return element('section', {}, element('h3', { textContent: title }), list);
  }

  #times(process) {
    const { recording } = this;
    const start = recording.start[process];
    const ended = recording.ended[process];
    const at = (ns) => `${formatMoment(ns, 1e5)} · ${clock(recording.wallTime(ns))}`;
    const chain = this.#chainTime(process);
    return this.#facts('Time', [
      ['start', at(start) + (recording.processes.older[process] ? ' (before the recording)' : '')],
      ['end', ended ? at(recording.stop[process]) : null],
      ['duration', ended ? formatDuration(recording.stop[process] - start) : null],
      ['user CPU', ended ? duration(recording.processes.cpu_user[process]) : null],
      ['system CPU', ended ? duration(recording.processes.cpu_sys[process]) : null],
      ['waiting for a CPU', ended ? duration(recording.processes.cpu_wait[process]) : null],
      ['on the chain', chain > 0 ? formatDuration(chain) : null],
    ]);
  }

  #chainTime(process) {
    const { chain } = this.recording;
    return chain ? chain.process.reduce((sum, other, i) => other === process ? sum + chain.duration[i] : sum, 0) : 0;
  }

  #cost(process) {
    const { recording } = this;
    if (!recording.ended[process]) {
      return null;
    }
    const p = recording.processes;
    const bytes = (value) => value === null ? null : formatBytes(value);
    const both = (one, oneName, other, otherName) => one[process] === null ? null
      : `${formatCount(one[process])} ${oneName}, ${formatCount(other[process])} ${otherName}`;
    return this.#facts('Cost', [
      ['peak memory', bytes(p.peak_rss[process] ?? p.max_rss[process])],
      ['peak, earlier programs too', bytes(p.max_rss[process])],
      ['read from storage', bytes(p.io_read[process])],
      ['written to storage', bytes(p.io_write[process])],
      ['page faults', both(p.minor_faults, 'minor', p.major_faults, 'major')],
      ['context switches', both(p.voluntary_switches, 'voluntary', p.involuntary_switches, 'involuntary')],
    ]);
  }

  #identity(process) {
    const { recording } = this;
    const p = recording.processes;
    const parent = p.parent[process];
    const other = (index) => index >= 0 && index !== parent ? this.#link(index) : null;
    const user = (uid) => {
      const name = recording.header.users[uid];
      return name ? `${printable(name)} (${uid})` : String(uid);
    };
    const identity = (key) => p.identity[process] < 0 ? null : recording.identities[key][p.identity[process]];
    const number = (value) => value === null || value === 0 ? null : String(value);
    const differing = (value, usual) => value === null || value === usual ? null : value;
    const effectiveUser = differing(identity('euid'), p.uid[process]);
    const loginUser = differing(identity('login_uid'), p.uid[process]);
    const signals = this.#signals(process);
    return this.#facts('Process', [
      ['id', recording.id(process)],
      ['name (comm)', text(recording.text(p.comm[process]))],
      ['parent', parent >= 0 ? this.#link(parent) : null],
      ['forked by', other(p.creator[process])],
      ['parent at its end', other(p.end_parent[process])],
      ['its parent then', p.parent_blocked[process] === null ? null : p.parent_blocked[process] ? 'slept' : 'was awake'],
      ['pid in its namespace', p.ns_pid[process] > 0 && p.ns_pid[process] !== p.pid[process] ? String(p.ns_pid[process]) : null],
      ['pid there', p.local_pid[process] > 0 && p.local_pid[process] !== p.pid[process] ? String(p.local_pid[process]) : null],
      ['user', p.uid[process] === null ? null : user(p.uid[process])],
      ['effective user', effectiveUser === null ? null : user(effectiveUser)],
      ['login user', loginUser === null ? null : user(loginUser)],
      ['group', identity('gid') === null ? null : String(identity('gid'))],
      ['effective group', differing(identity('egid'), identity('gid'))?.toString()],
      ['process group', number(identity('process_group'))],
      ['session', number(identity('session_id'))],
      ['audit session', number(identity('audit_session'))],
      ['terminal', p.identity[process] < 0 ? null : text(recording.text(identity('tty')))],
      ['pid namespace', number(identity('pid_ns_inode'))],
      ['last signal', signals?.lastSignal
        ? element('span', {}, `${signals.lastSignal} ${formatDuration(signals.lastAge)} before its end`,
                  signals.last ? ' from ' : null, signals.last) : null],
    ]);
  }

  #place(process) {
    const { recording } = this;
    const { execs, processes } = recording;
    const exec = recording.lastExec(process);
    const of = (column) => exec < 0 ? null : text(recording.text(execs[column][exec]));
    const file = (column) => {
      const name = of(column);
      return name !== null && execs[`${column}_deleted`][exec] ? `${name} (deleted)` : name;
    };
    const capabilities = exec < 0 ? null : execs.cap_effective[exec];
    const size = exec < 0 ? null : execs.args_size[exec];
    return this.#facts('Place', [
      ['directory', file('cwd')], ['file', file('exe')], ['path', of('filename')], ['interpreter', of('interp')],
      ['size of the arguments', size === null ? null : formatBytes(size)],
      ['capabilities', capabilities === null ? null : capabilities.toString(16).padStart(16, '0')],
      ['privileged exec', exec >= 0 && execs.secure[exec] ? 'yes' : null],
      ['stdin', of('stdin')], ['stdout', of('stdout')], ['stderr', of('stderr')],
      ['unit', text(recording.text(processes.unit[process]))],
      ['container', text(recording.text(processes.container[process]))],
      ['cgroup', text(recording.text(processes.cgroup[process]))],
    ]);
  }

  // All execs, if there is more than the last one.
  #execs(process) {
    const { recording } = this;
    const execs = recording.execsOf(process);
    if (execs.length < 2) {
      return null;
    }
    return element('section', {},
      element('h3', { textContent: plural(execs.length, 'exec') }),
      element('ol', {}, ...execs.map((exec) => {
        const error = recording.execs.error[exec];
        const path = recording.text(recording.execs.filename[exec]);
        const words = recording.argsOf(exec);
        const command = error !== 0 && path !== null ? path : shellCommand(words);
        const time = recording.execTime(process, exec);
        return element('li', {},
          element('small', { textContent: Number.isFinite(time) ? formatMoment(time, 1e5) : 'before' }), ' ',
          error !== 0 ? element('strong', { className: 'failed', textContent: `${recording.header.errors[error]} ` }) : null,
          element('code', {}, element('bdi', { textContent: printable(command).slice(0, 2000) })));
      })));
  }

  #children(process) {
    const { recording } = this;
    const children = recording.childrenOf(process);
    if (children.length === 0) {
      return null;
    }
    const items = Array.from(children.subarray(0, mostChildren), (child) => element('li', {},
      this.#link(child), ' ',
      recording.outcome[child] > Outcome.success
        ? element('strong', { className: 'failed', textContent: recording.statusLabel(child) }) : null,
      element('small', { textContent: ` ${formatDuration(recording.stop[child] - recording.start[child])}` })));
    if (children.length > mostChildren) {
      items.push(element('li', { textContent: `and ${formatCount(children.length - mostChildren)} more` }));
    }
    return element('section', {},
      element('h3', { textContent: plural(children.length, 'child', 'children') }), element('ol', {}, ...items));
  }
}

const text = (value) => value === null ? null : printable(value);
const duration = (value) => value === null ? null : formatDuration(value);

export function clock(date) {
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
