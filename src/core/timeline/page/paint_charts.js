// SPDX-License-Identifier: GPL-2.0-only
// Draws running processes and CPU use over the visible time, the axis below them, and the strip that
// shows which part of the recording is visible.
import { Surface } from './canvas.js';
import { Outcome } from './recording.js';
import { hatch } from './theme.js';
import { formatCount, formatMoment, tickStep } from './units.js';

const axisHeight = 20;
const gap = 6;
const labelSpace = 15;

export class ChartPainter {
  constructor(canvas, model) {
    this.surface = new Surface(canvas);
    this.pen = this.surface.pen;
    Object.assign(this, model);
    this.setTheme();
  }

  setTheme() {
    this.hatch = hatch(this.pen, this.theme.waiting, 5, this.surface.ratio);
  }

  // `selection`: pixels between which the pointer selects time, or null.
  paint({ pointerX, selection }) {
    if (this.surface.fit()) {
      this.setTheme();
    }
    this.surface.clear();
    const { viewport, recording } = this;
    const columns = Math.max(Math.floor(viewport.width), 1);
    const samples = this.activity.sample(viewport.begin, viewport.end, columns);
    const height = (this.surface.height - axisHeight - 3 * gap) / 2;
    const now = pointerX === null ? null : this.activity.at(viewport.time(pointerX));
    this.#paintGrid();
    this.#paintRunning(samples, gap, height, now);
    this.#paintCpu(samples, height + 2 * gap, height, now);
    this.#paintAxis(this.surface.height - axisHeight, pointerX);
    if (selection) {
      this.pen.fillStyle = this.theme.faint;
      this.pen.fillRect(Math.min(...selection), 0, Math.abs(selection[0] - selection[1]), this.surface.height);
    }
  }

  #ticks(use) {
    const { viewport } = this;
    const step = tickStep(viewport.span / viewport.width * 110);
    for (let time = Math.ceil(viewport.begin / step) * step; time <= viewport.end; time += step) {
      use(time, Math.round(viewport.x(time)), step);
    }
  }

  #paintGrid() {
    this.pen.fillStyle = this.theme.grid;
    this.#ticks((time, x) => this.pen.fillRect(x, 0, 1, this.surface.height));
  }

  #area(values, base, scale, below = null) {
    const { pen } = this;
    pen.beginPath();
    pen.moveTo(0, base - (below ? below[0] * scale : 0));
    for (let i = 0; i < values.length; i++) {
      const y = base - values[i] * scale;
      pen.lineTo(i, y);
      pen.lineTo(i + 1, y);
    }
    for (let i = values.length - 1; i >= 0; i--) {
      const y = base - (below ? below[i] * scale : 0);
      pen.lineTo(i + 1, y);
      pen.lineTo(i, y);
    }
    pen.closePath();
    pen.fill();
  }

  #title(text, value, y) {
    const { pen, theme } = this;
    pen.font = `11px ${theme.font}`;
    pen.textBaseline = 'top';
    pen.textAlign = 'left';
    pen.lineWidth = 3;
    pen.lineJoin = 'round';
    pen.strokeStyle = theme.halo;
    pen.strokeText(`${text} ${value}`, 8, y + 2);
    pen.fillStyle = theme.foreground;
    pen.fillText(`${text} ${value}`, 8, y + 2);
  }

  #paintRunning({ running }, y, height, now) {
    const { pen, theme, viewport } = this;
    const most = running.reduce((a, b) => Math.max(a, b), 1);
    const scale = (height - labelSpace) / most;
    pen.fillStyle = theme.running;
    this.#area(running, y + height, scale);
    pen.fillStyle = theme.grid;
    pen.fillRect(0, y + height, viewport.width, 1);
    this.#title('processes', now ? formatCount(now.running) : `up to ${formatCount(most)}`, y);
  }

  #paintCpu({ cpu, waiting }, y, height, now) {
    const { pen, theme, viewport } = this;
    const { cpus } = this.recording.header;
    const total = cpu.map((value, i) => value + waiting[i]);
    const most = total.reduce((a, b) => Math.max(a, b), cpus);
    const scale = (height - labelSpace) / most;
    pen.fillStyle = theme.cpu;
    this.#area(cpu, y + height, scale);
    pen.fillStyle = this.hatch;
    this.#area(total, y + height, scale, cpu);
    pen.strokeStyle = theme.foreground;
    pen.lineWidth = 1;
    pen.setLineDash([4, 4]);
    pen.beginPath();
    const line = Math.round(y + height - cpus * scale) + 0.5;
    pen.moveTo(0, line);
    pen.lineTo(viewport.width, line);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = theme.grid;
    pen.fillRect(0, y + height, viewport.width, 1);
    const mean = cpu.reduce((a, b) => a + b, 0) / cpu.length;
    this.#title('CPUs', now ? `${now.cpu.toFixed(2)} in use, ${now.waiting.toFixed(2)} wanted`
                            : `${mean.toFixed(2)} of ${cpus} in use`, y);
  }

  #paintAxis(y, pointerX) {
    const { pen, theme, viewport } = this;
    pen.font = `11px ${theme.font}`;
    pen.textBaseline = 'middle';
    pen.textAlign = 'left';
    pen.fillStyle = theme.foreground;
    this.#ticks((time, x, step) => pen.fillText(formatMoment(time, step), x + 4, y + axisHeight / 2 + 1));
    if (pointerX === null) {
      return;
    }
    pen.fillStyle = theme.foreground;
    pen.fillRect(Math.round(pointerX), 0, 1, y + axisHeight);
    const text = formatMoment(viewport.time(pointerX), viewport.span / viewport.width * 2);
    const width = pen.measureText(text).width + 8;
    const left = Math.min(Math.max(pointerX - width / 2, 0), viewport.width - width);
    pen.fillRect(left, y + 2, width, axisHeight - 3);
    pen.fillStyle = theme.background;
    pen.fillText(text, left + 4, y + axisHeight / 2 + 1);
  }
}

// Where failures and losses are, and which part is visible.
export class StripPainter {
  constructor(canvas, model) {
    this.surface = new Surface(canvas);
    this.pen = this.surface.pen;
    Object.assign(this, model);
    this.failures = Float64Array.from(
      this.recording.byStart.filter((process) => this.recording.outcome[process] > Outcome.success),
      (process) => this.recording.stop[process]).sort();
  }

  x(time) {
    const [first, last] = this.viewport.bounds;
    return (time - first) / (last - first) * this.surface.width;
  }

  time(x) {
    const [first, last] = this.viewport.bounds;
    return first + x / this.surface.width * (last - first);
  }

  paint() {
    this.surface.fit();
    this.surface.clear();
    const { pen, theme, viewport, recording, surface } = this;
    pen.fillStyle = theme.loss;
    recording.losses.at.forEach((end, i) => {
      const x = this.x(recording.losses.since[i]);
      pen.fillRect(x, 0, Math.max(this.x(end) - x, 2), surface.height);
    });
    pen.fillStyle = theme.accent;
    pen.globalAlpha = viewport.isWhole ? 0.12 : 0.4;
    const x = this.x(viewport.begin);
    const width = Math.max(this.x(viewport.end) - x, 8);
    pen.beginPath();
    pen.roundRect(x, 0, width, surface.height, 3);
    pen.fill();
    pen.globalAlpha = 1;
    pen.fillStyle = theme.failure;
    let last = -1;
    for (const time of this.failures) {
      const mark = Math.round(this.x(time));
      if (mark !== last) {
        pen.fillRect(mark - 1, 2, 2, surface.height - 4);
        last = mark;
      }
    }
  }
}
