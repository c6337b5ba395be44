// SPDX-License-Identifier: GPL-2.0-only
// Draws the bars of processes. A bar is filled from its bottom up: CPU solid, waiting for a CPU hatched,
// and the rest, blocked, pale. Bars that are too narrow share a column of pixels, so a frame takes no
// longer with more processes.
import { Surface } from './canvas.js';
import { Outcome } from './recording.js';
import { hatch } from './theme.js';
import { tickStep } from './units.js';

const gap = 4; // between lanes
const narrow = 2; // bars below this width are drawn as one
const fontSize = 11;
const markDistance = 8;
const markSize = 20;

export function barHeight(viewport) {
  return viewport.laneHeight - gap;
}

export class LanePainter {
  constructor(canvas, model) {
    this.surface = new Surface(canvas);
    this.pen = this.surface.pen;
    Object.assign(this, model);
    this.failed = this.#failedOf(this.recording.byStart);
    this.setTheme();
  }

  setTheme() {
    this.hatches = this.theme.lines.map((color) => hatch(this.pen, color, 5, this.surface.ratio));
    const marks = (scale) => [Outcome.failure, Outcome.signal].reduce((images, outcome) => {
      images[outcome] = failureMark(this.theme, outcome, this.surface.ratio, scale);
      return images;
    }, []);
    this.marks = marks(1);
    this.smallMarks = marks(0.75);
    this.lossHatch = hatch(this.pen, this.theme.loss, 10, this.surface.ratio);
    this.pen.font = `${fontSize}px ${this.theme.font}`;
    this.characterWidth = this.pen.measureText('0000000000').width / 10;
  }

  // Processes to stress, for paint().
  matches(processes) {
    return { all: this.lanes.group(processes), failed: this.#failedOf(processes) };
  }

  #failedOf(processes) {
    return this.lanes.group(processes.filter((process) => this.recording.outcome[process] > Outcome.success));
  }

  // `matches`: null if there is no search.
  paint(matches) {
    if (this.surface.fit()) {
      this.setTheme();
    }
    const { pen, surface, theme } = this;
    surface.clear();
    pen.font = `${fontSize}px ${theme.font}`;
    pen.textBaseline = 'middle';
    this.#paintGrid();
    this.#paintLosses();
    this.#paintProcesses(this.lanes.all, this.failed);
    if (matches) {
      pen.fillStyle = theme.veil;
      pen.fillRect(0, 0, surface.width, surface.height);
      this.#paintProcesses(matches.all, matches.failed);
    }
    this.#paintChain();
  }

  // All bars first, because marks reach over them.
  #paintProcesses(all, failed) {
    this.#eachLane((lane, y) => this.#paintLane(all, lane, y));
    this.#eachLane((lane, y) => this.#paintFailures(failed, lane, y));
  }

  #eachLane(paint) {
    const { viewport, lanes } = this;
    const last = Math.min(viewport.lane(viewport.height), lanes.count - 1);
    for (let lane = Math.max(viewport.lane(0), 0); lane <= last; lane++) {
      paint(lane, viewport.y(lane) + gap / 2);
    }
  }

  #paintGrid() {
    const { pen, viewport, theme } = this;
    const step = tickStep(viewport.span / viewport.width * 110);
    pen.fillStyle = theme.grid;
    for (let time = Math.ceil(viewport.begin / step) * step; time <= viewport.end; time += step) {
      pen.fillRect(Math.round(viewport.x(time)), 0, 1, viewport.height);
    }
  }

  #paintLosses() {
    const { pen, viewport, recording } = this;
    recording.losses.at.forEach((end, i) => {
      const x = viewport.x(recording.losses.since[i]);
      const width = Math.max(viewport.x(end) - x, 3);
      if (x + width < 0 || x > viewport.width) {
        return;
      }
      pen.fillStyle = this.lossHatch;
      pen.fillRect(x, 0, width, viewport.height);
    });
  }

  // The first place at or after `from` whose process ends after `time`.
  #firstAfter(members, from, end, time) {
    let step = 1;
    let low = from;
    const { stop } = this.recording;
    while (low < end && stop[members[low]] <= time) {
      from = low + 1;
      low += step;
      step *= 2;
    }
    let high = Math.min(low, end);
    while (from < high) {
      const middle = (from + high) >> 1;
      if (stop[members[middle]] > time) {
        high = middle;
      } else {
        from = middle + 1;
      }
    }
    return from;
  }

  #paintLane({ first, members }, lane, y) {
    const { viewport, recording, theme } = this;
    const height = barHeight(viewport);
    const end = first[lane + 1];
    // A run of columns of one colour.
    let [runColor, runBegin, runEnd] = [-1, 0, -1];
    const flush = () => {
      if (runColor >= 0) {
        this.pen.fillStyle = theme.programs[runColor];
        this.pen.fillRect(runBegin, y, runEnd - runBegin, height);
        runColor = -1;
      }
    };
    let i = this.#firstAfter(members, first[lane], end, viewport.begin);
    while (i < end) {
      const process = members[i];
      const x = viewport.x(recording.start[process]);
      if (x > viewport.width) {
        break;
      }
      const right = viewport.x(recording.stop[process]);
      if (right - x >= narrow) {
        flush();
        this.#paintBar(process, x, right, y, height);
        i++;
        continue;
      }
      const column = Math.max(Math.floor(x), runEnd);
      const color = this.colors[recording.program[this.#inColumn(members, i, end, column)]];
      if (color !== runColor || column > runEnd) {
        flush();
        [runColor, runBegin] = [color, column];
      }
      runEnd = column + 1;
      i = this.#firstAfter(members, i + 1, end, viewport.time(column + 1));
    }
    flush();
  }

  // The process that a column of pixels shows: the one at its middle, else the first one.
  #inColumn(members, i, end, column) {
    const middle = this.viewport.time(column + 0.5);
    const at = this.#firstAfter(members, i, end, middle);
    return at < end && this.recording.start[members[at]] <= middle ? members[at] : members[i];
  }

  // Calls `use` with begin, end and program of each part of a bar. Each exec begins a part.
  #eachPart(process, x, right, use) {
    const { recording, viewport } = this;
    let begin = x;
    let exec = -1;
    for (let next = recording.firstExec[process]; next < recording.firstExec[process + 1]; next++) {
      if (recording.execs.error[next] !== 0) {
        continue;
      }
      const at = Math.min(Math.max(viewport.x(recording.execTime(process, next)), x), right);
      if (at - begin >= 1) {
        use(begin, at, exec);
        begin = at;
      }
      exec = next;
    }
    use(begin, right, exec);
  }

  #paintBar(process, x, right, y, height) {
    const { pen, viewport, recording, theme } = this;
    const [cpu, waiting] = recording.shares(process);
    const solid = Math.round(cpu * height);
    const hatched = Math.round((cpu + waiting) * height) - solid;
    const space = right - x > 5 ? 1 : 0; // to the next bar
    const statusWidth = this.#paintsStatus(process, x, right)
      ? (recording.statusLabel(process).length + 1) * this.characterWidth : 0;
    this.#eachPart(process, x, right, (partBegin, partEnd, exec) => {
      const begin = Math.max(partBegin, -9);
      const end = Math.min(partEnd, viewport.width + 9) - (partEnd === right ? space : 0);
      if (end <= begin) {
        return;
      }
      const program = exec < 0 ? recording.inheritedProgram(process) : recording.execProgram[exec];
      const color = this.colors[program];
      pen.fillStyle = theme.pale[color];
      pen.fillRect(begin, y, end - begin, height);
      pen.fillStyle = theme.programs[color];
      pen.fillRect(begin, y + height - solid, end - begin, solid);
      if (hatched > 0 && end - begin >= 5) {
        pen.fillStyle = this.hatches[color];
        pen.fillRect(begin, y + height - solid - hatched, end - begin, hatched);
      }
      if (end - begin >= 10) {
        pen.strokeStyle = theme.programs[color];
        pen.lineWidth = 1;
        pen.strokeRect(begin + 0.5, y + 0.5, end - begin - 1, height - 1);
      }
      if (exec >= 0 && partBegin - x >= 3) {
        this.#paintExec(partBegin, y, height);
      }
      this.#paintLabel(process, exec, begin, end - (partEnd === right ? statusWidth : 0), y + height / 2);
    });
    if (!recording.ended[process] && right - x > 10) {
      this.#paintOpenEnd(right, y, height);
    }
  }

  #paintExec(x, y, height) {
    const { pen, theme } = this;
    pen.fillStyle = theme.bar_text;
    pen.fillRect(Math.round(x), y, 1, height);
    pen.beginPath();
    pen.moveTo(Math.round(x) - 3.5, y);
    pen.lineTo(Math.round(x) + 4.5, y);
    pen.lineTo(Math.round(x) + 0.5, y + 5);
    pen.fill();
  }

  // The bar goes on after the end of the recording.
  #paintOpenEnd(x, y, height) {
    const { pen, theme } = this;
    const tooth = height / 3;
    pen.fillStyle = theme.background;
    pen.beginPath();
    for (let i = 0; i < 3; i++) {
      pen.moveTo(x + 1, y + i * tooth);
      pen.lineTo(x - 5, y + (i + 0.5) * tooth);
      pen.lineTo(x + 1, y + (i + 1) * tooth);
    }
    pen.fill();
  }

  #paintLabel(process, exec, begin, end, middle) {
    const { pen, theme, recording } = this;
    const left = Math.max(begin, 0) + 5;
    const columns = Math.floor((Math.min(end, this.viewport.width) - left - 2) / this.characterWidth);
    if (columns < 3) {
      return;
    }
    const text = exec < 0 ? this.programLabel(process).slice(0, columns) : this.labels.fit(exec, columns);
    pen.fillStyle = theme.bar_text;
    if (/^[ -~…]*$/.test(text)) {
      pen.fillText(text, left, middle + 0.5);
    } else {
      // Other characters may be wider.
      pen.fillText(text, left, middle + 0.5, (columns + 1) * this.characterWidth);
    }
  }

  // A process without an exec, or the time before it.
  programLabel(process) {
    const { recording } = this;
    return this.printableNames[recording.inheritedProgram(process)];
  }

  #paintsStatus(process, x, right) {
    return this.recording.outcome[process] > Outcome.success &&
      right <= this.viewport.width + 2 &&
      right - Math.max(x, 0) > (this.recording.statusLabel(process).length + 3) * this.characterWidth;
  }

  #paintFailures({ first, members }, lane, y) {
    const { viewport, recording } = this;
    const height = barHeight(viewport);
    let i = this.#firstAfter(members, first[lane], first[lane + 1], viewport.time(-markDistance));
    while (i < first[lane + 1]) {
      const process = members[i];
      const x = viewport.x(recording.start[process]);
      const right = viewport.x(recording.stop[process]);
      if (x > viewport.width + markDistance) {
        break;
      }
      this.#paintFailure(process, x, right, y, height);
      i = this.#firstAfter(members, i + 1, first[lane + 1], viewport.time(right + markDistance));
    }
  }

  #paintFailure(process, x, right, y, height) {
    const { pen, theme, recording } = this;
    pen.strokeStyle = theme.failure;
    pen.lineWidth = 2;
    if (right - x >= narrow) {
      const left = Math.max(x, -9);
      pen.strokeRect(left + 1, y + 1, Math.max(Math.min(right, this.viewport.width + 9) - left - 3, 1), height - 2);
    }
    if (this.#paintsStatus(process, x, right)) {
      const label = recording.statusLabel(process);
      const width = (label.length + 1) * this.characterWidth + 4;
      pen.fillStyle = theme.failure;
      pen.fillRect(right - 1 - width, y, width, height);
      pen.fillStyle = theme.failure_text;
      pen.fillText(label, right - width + this.characterWidth / 2 + 1, y + height / 2 + 0.5);
      return;
    }
    const mark = right - x < markDistance ? this.smallMarks : this.marks;
    pen.drawImage(mark[recording.outcome[process]], Math.round(Math.max(right - 6, x)) - markSize / 2,
                  y + height / 2 - markSize / 2, markSize, markSize);
  }

  #paintChain() {
    const { pen, viewport, recording, theme } = this;
    const { chain } = recording;
    if (!chain) {
      return;
    }
    pen.beginPath();
    chain.process.forEach((process, i) => {
      const y = viewport.y(this.lanes.of[process]) + viewport.laneHeight - gap / 2;
      const clip = (x) => Math.min(Math.max(x, -20), viewport.width + 20);
      const x = clip(viewport.x(chain.at[i]));
      if (i === 0) {
        pen.moveTo(x, y);
      } else {
        pen.lineTo(x, y);
      }
      pen.lineTo(clip(viewport.x(chain.at[i] + chain.duration[i])), y);
    });
    pen.lineJoin = 'round';
    pen.strokeStyle = theme.halo;
    pen.lineWidth = 6;
    pen.stroke();
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 3;
    pen.stroke();
  }
}

// A disc with a cross for an exit status, a diamond with a flash for a signal: shapes as well as colours.
// As an image, because a frame may have thousands.
export function failureMark(theme, outcome, ratio, scale = 1) {
  const image = document.createElement('canvas');
  image.width = image.height = markSize * ratio;
  const pen = image.getContext('2d');
  pen.scale(ratio, ratio);
  pen.translate(markSize / 2, markSize / 2);
  pen.scale(scale, scale);
  const isSignal = outcome === Outcome.signal;
  const line = (...points) => points.forEach(([x, y], i) => i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y));
  pen.beginPath();
  if (isSignal) {
    line([0, -8], [8, 0], [0, 8], [-8, 0], [0, -8]);
  } else {
    pen.arc(0, 0, 6, 0, 2 * Math.PI);
  }
  pen.fillStyle = theme.failure;
  pen.strokeStyle = theme.halo;
  pen.lineWidth = 1.5;
  pen.stroke();
  pen.fill();
  pen.strokeStyle = theme.failure_text;
  pen.lineWidth = 1.75;
  pen.beginPath();
  if (isSignal) {
    line([1.5, -4.5], [-2, 0.5], [2, 0], [-1.5, 4.5]);
  } else {
    line([-2.5, -2.5], [2.5, 2.5]);
    line([2.5, -2.5], [-2.5, 2.5]);
  }
  pen.stroke();
  return image;
}
