// SPDX-License-Identifier: GPL-2.0-only
// Reads the recording, and connects the parts of the page.
import { Activity } from './activity.js';
import { handleDrag, handleKeys, handleWheel, processAt } from './controls.js';
import { clock, Details } from './details.js';
import { byId, copyText, element } from './dom.js';
import { Labels } from './labels.js';
import { Lanes } from './layout.js';
import { ChartPainter, StripPainter } from './paint_charts.js';
import { failureMark, LanePainter } from './paint_lanes.js';
import { OverlayPainter } from './paint_overlay.js';
import { Outcome, readRecording } from './recording.js';
import { findProcesses } from './search.js';
import { printable } from './text.js';
import { programColor, Theme } from './theme.js';
import { formatCount, formatDuration, plural } from './units.js';
import { Viewport } from './viewport.js';

const mostChips = 12;

class Page {
  selected = -1;
  hovered = -1;
  pointerX = null;
  selection = null; // of time, in the charts
  matches = null; // processes, in the order of their starts
  stressed = null; // the same, by lane
  match = -1; // place in `matches`
  #stale = new Set();

  constructor(recording) {
    const lanes = new Lanes(recording);
    this.theme = new Theme();
    this.recording = recording;
    this.lanes = lanes;
    this.viewport = new Viewport(recording.begin, recording.end, lanes.count);
    const colors = recording.programNames.map(programColor);
    const model = {
      recording, lanes, colors, viewport: this.viewport, theme: this.theme,
      labels: new Labels(recording), activity: new Activity(recording),
      printableNames: recording.programNames.map(printable),
    };
    this.model = model;
    this.lanePainter = new LanePainter(byId('lanes'), model);
    this.overlay = new OverlayPainter(byId('overlay'), model);
    this.charts = new ChartPainter(byId('charts'), model);
    this.strip = new StripPainter(byId('strip'), model);
    this.details = new Details(byId('details'), recording, {
      select: (process) => this.select(process, true),
      zoom: (process) => this.zoomTo(process),
      close: () => this.select(-1),
      color: (process) => colors[recording.program[process]],
    });
    this.viewport.onChange(() => this.redraw());
    this.#describe();
    this.#listPrograms(colors);
    this.#handle();
    new ResizeObserver(() => this.#resize()).observe(byId('stage'));
    this.#resize();
  }

  #resize() {
    const stage = byId('lanes');
    this.viewport.resize(stage.clientWidth, stage.clientHeight);
    this.redraw();
  }

  // Draws at the next frame: everything, or only what follows the pointer.
  redraw(part = 'all') {
    if (this.#stale.size === 0) {
      requestAnimationFrame(() => this.#draw());
    }
    this.#stale.add(part);
  }

  #draw() {
    if (this.#stale.has('all')) {
      this.lanePainter.paint(this.stressed);
      this.strip.paint();
    }
    this.#stale.clear();
    this.charts.paint(this);
    this.overlay.paint(this);
  }

  #describe() {
    const { header, count, failures, losses } = this.recording;
    const command = this.#title();
    document.title = `${command} · bpftrap`;
    byId('command').textContent = command;
    const begin = this.recording.wallTime(0);
    byId('facts').textContent = [
      printable(header.host), `${begin.toLocaleDateString('en-CA')} ${clock(begin)}`,
      formatDuration(header.end - this.recording.begin), plural(count, 'process', 'processes'),
    ].join(' · ');
    const button = byId('failures');
    button.textContent = failures === 0 ? 'no failures' : `✕ ${formatCount(failures)} failed`;
    button.disabled = failures === 0;
    byId('warnings').textContent = this.recording.gaps().join(', ');
    byId('legend-loss').hidden = losses.at.length === 0;
    byId('legend-chain').hidden = this.recording.chain === null;
  }

  // The command line of PROGRAM.
  #title() {
    const { recording } = this;
    const root = recording.header.has_program
      ? recording.byStart.find((process) => recording.parent[process] < 0) : undefined;
    const command = root === undefined ? null : this.details.command(root);
    return command === null ? `processes on ${printable(recording.header.host)}` : printable(command);
  }

  // The programs that used most CPU time, as a key to the colours. A click searches for one.
  #listPrograms(colors) {
    const { recording } = this;
    const cpu = new Float64Array(recording.programNames.length);
    const runs = new Uint32Array(recording.programNames.length);
    recording.program.forEach((program, process) => {
      cpu[program] += recording.cpu(process);
      runs[program]++;
    });
    const order = Array.from(cpu.keys()).sort((a, b) => cpu[b] - cpu[a] || runs[b] - runs[a]);
    byId('programs').replaceChildren(...order.slice(0, mostChips).map((program) => {
      const name = printable(recording.programNames[program]);
      return element('button', {
        className: 'chip', title: `${plural(runs[program], 'process', 'processes')}, ${formatDuration(cpu[program])} CPU`,
        onclick: () => this.search(`"${recording.programNames[program]}"`),
      }, element('span', { className: `swatch program-${colors[program]}` }), element('bdi', { textContent: name }));
    }));
  }

  select(process, reveal = false) {
    this.selected = process;
    byId('tip').hidden = true;
    if (process < 0) {
      this.details.hide();
    } else {
      this.details.show(process);
      if (reveal) {
        // The panel has just taken its place.
        this.#resize();
        this.reveal(process);
      }
    }
    this.redraw();
  }

  reveal(process) {
    const { start, stop } = this.recording;
    this.viewport.reveal(start[process], stop[process], this.lanes.of[process]);
  }

  zoomTo(process) {
    const { start, stop } = this.recording;
    const margin = (stop[process] - start[process]) * 0.1;
    const { laneHeight, height } = this.viewport;
    this.viewport.show(start[process] - margin, stop[process] + margin,
                       this.lanes.of[process] * laneHeight - height / 4);
  }

  search(query) {
    const input = byId('search');
    if (input.value !== query) {
      input.value = query;
    }
    if (query.trim() === '') {
      this.matches = this.stressed = null;
    } else {
      this.matches = findProcesses(this.recording, query);
      this.stressed = this.lanePainter.matches(this.matches);
    }
    this.match = -1;
    this.#showMatch();
    this.redraw();
  }

  #showMatch() {
    const { matches, match } = this;
    byId('found').textContent = matches === null ? ''
      : matches.length === 0 ? 'none' : match < 0 ? formatCount(matches.length)
        : `${formatCount(match + 1)} of ${formatCount(matches.length)}`;
    byId('next').disabled = byId('previous').disabled = !matches?.length;
  }

  nextMatch(direction) {
    if (!this.matches?.length) {
      byId('search').focus();
      return;
    }
    const { length } = this.matches;
    this.match = this.match < 0 ? (direction > 0 ? 0 : length - 1) : (this.match + direction + length) % length;
    this.#showMatch();
    this.select(this.matches[this.match], true);
  }

  // The next one after the selected process, by start.
  nextFailure() {
    const { byStart, outcome } = this.recording;
    const failed = byStart.filter((process) => outcome[process] > Outcome.success);
    if (failed.length > 0) {
      this.select(failed[(failed.indexOf(this.selected) + 1) % failed.length], true);
    }
  }

  async copyCommand() {
    const command = this.selected < 0 ? null : this.details.command(this.selected);
    if (command !== null) {
      await copyText(command);
    }
  }

  escape() {
    if (byId('search').value !== '') {
      this.search('');
      byId('search').blur();
    } else {
      this.select(-1);
    }
  }

  #hover(event) {
    const box = byId('lanes').getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    this.pointerX = x;
    this.hovered = y >= 0 ? processAt(this.model, x, y) : -1;
    this.#showTip(x, y);
    this.redraw('pointer');
  }

  #showTip(x, y) {
    const tip = byId('tip');
    const { recording, hovered } = this;
    tip.hidden = hovered < 0;
    if (hovered < 0) {
      return;
    }
    const exec = recording.lastExec(hovered);
    const label = exec < 0 ? printable(recording.name(hovered)) : this.model.labels.fit(exec, 90);
    const time = formatDuration(recording.stop[hovered] - recording.start[hovered]);
    tip.replaceChildren(
      element('strong', {}, element('bdi', { textContent: label })),
      element('span', { className: recording.outcome[hovered] > Outcome.success ? 'failed' : '',
                        textContent: `${recording.statusLabel(hovered)} · ${time} · pid ${recording.processes.pid[hovered]}` }));
    const stage = byId('lanes');
    tip.style.left = `${Math.min(x + 12, stage.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${y + 20 + tip.offsetHeight > stage.clientHeight ? y - tip.offsetHeight - 8 : y + 18}px`;
  }

  #handle() {
    const { viewport } = this;
    const stage = byId('overlay');
    handleWheel(stage, viewport);
    handleWheel(byId('charts'), viewport);
    this.#handleLanes(stage);
    this.#handleCharts(byId('charts'));
    this.#handleStrip(byId('strip'));
    this.#handleKeys();
    this.#handleButtons();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.theme.read();
      this.lanePainter.setTheme();
      this.charts.setTheme();
      this.redraw();
      drawLegend(this.theme);
    });
    drawLegend(this.theme);
  }

  #handleLanes(stage) {
    const { viewport } = this;
    handleDrag(stage, viewport, ({ x, y }) => {
      const thumb = x > viewport.width - 12 ? this.overlay.scrollbar() : null;
      if (thumb) {
        const scale = viewport.lowest / (viewport.height - thumb.height);
        return { move: (to, last) => viewport.pan(0, (to.y - last.y) * scale) };
      }
      return {
        move: (to, last) => viewport.pan(last.x - to.x, last.y - to.y),
        click: () => this.select(processAt(this.model, x, y)),
      };
    });
    stage.addEventListener('pointermove', (event) => this.#hover(event));
    stage.addEventListener('pointerleave', () => {
      this.pointerX = null;
      this.hovered = -1;
      byId('tip').hidden = true;
      this.redraw('pointer');
    });
    stage.addEventListener('dblclick', () => {
      if (this.hovered >= 0) {
        this.zoomTo(this.hovered);
      } else {
        viewport.showAll();
      }
    });
  }

  // A drag selects the time to zoom to.
  #handleCharts(charts) {
    const { viewport } = this;
    handleDrag(charts, viewport, () => ({
      move: (to, last, from) => {
        this.selection = [from.x, to.x];
        this.redraw('pointer');
      },
      end: (to, from) => {
        this.selection = null;
        const [a, b] = [from.x, to.x].sort((p, q) => p - q);
        viewport.show(viewport.time(a), viewport.time(b));
        this.redraw('pointer');
      },
    }));
    charts.addEventListener('pointermove', (event) => {
      this.pointerX = event.clientX - charts.getBoundingClientRect().left;
      this.redraw('pointer');
    });
    charts.addEventListener('pointerleave', () => {
      this.pointerX = null;
      this.redraw('pointer');
    });
    charts.addEventListener('dblclick', () => viewport.showAll());
  }

  #handleStrip(strip) {
    const { viewport } = this;
    const center = (x) => {
      const half = viewport.span / 2;
      const time = this.strip.time(x);
      viewport.pan((time - half - viewport.begin) / viewport.span * viewport.width, 0);
    };
    handleDrag(strip, viewport, () => ({ move: (to) => center(to.x), click: (at) => center(at.x) }));
  }

  #handleKeys() {
    const { viewport } = this;
    const help = byId('help');
    handleKeys({
      ArrowLeft: () => viewport.panAnimated(-0.2, 0),
      ArrowRight: () => viewport.panAnimated(0.2, 0),
      ArrowUp: () => viewport.panAnimated(0, -3),
      ArrowDown: () => viewport.panAnimated(0, 3),
      PageUp: () => viewport.panAnimated(0, -viewport.height / viewport.laneHeight),
      PageDown: () => viewport.panAnimated(0, viewport.height / viewport.laneHeight),
      '+': () => viewport.zoomAnimated(1 / 1.6),
      '=': () => viewport.zoomAnimated(1 / 1.6),
      '-': () => viewport.zoomAnimated(1.6),
      0: () => viewport.showAll(),
      Home: () => viewport.showAll(),
      '/': () => byId('search').select(),
      n: () => this.nextMatch(1),
      N: () => this.nextMatch(-1),
      p: () => this.nextMatch(-1),
      f: () => this.nextFailure(),
      z: () => this.selected >= 0 && this.zoomTo(this.selected),
      c: () => this.copyCommand(),
      Escape: () => this.escape(),
      '?': () => help.open ? help.close() : help.showModal(),
    });
  }

  #handleButtons() {
    const input = byId('search');
    input.addEventListener('input', () => this.search(input.value));
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') {
        this.nextMatch(event.shiftKey ? -1 : 1);
      }
    });
    byId('next').onclick = () => this.nextMatch(1);
    byId('previous').onclick = () => this.nextMatch(-1);
    byId('failures').onclick = () => this.nextFailure();
    byId('whole').onclick = () => this.viewport.showAll();
    byId('keys').onclick = () => byId('help').showModal();
  }
}

// The marks of failures, as the lanes have them.
function drawLegend(theme) {
  const ratio = window.devicePixelRatio || 1;
  byId('legend-failure').replaceChildren(failureMark(theme, Outcome.failure, ratio));
  byId('legend-signal').replaceChildren(failureMark(theme, Outcome.signal, ratio));
}

try {
  const data = byId('data');
  const recording = await readRecording(data.textContent);
  data.remove();
  // For scripts, and for the console.
  window.timeline = new Page(recording);
  document.body.classList.add('ready');
} catch (error) {
  byId('warnings').textContent = `This page cannot show its recording: ${error.message}`;
}
