// SPDX-License-Identifier: GPL-2.0-only
// The visible part: time from left to right, lanes from top to bottom. Animates jumps.

const shortestSpan = 100; // ns
const animation = 180; // ms

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

export class Viewport {
  width = 1;
  height = 1;
  laneHeight = 22;
  top = 0; // pixels that are scrolled out
  #goal = null;
  #listeners = [];

  constructor(begin, end, laneCount) {
    const margin = Math.max(end - begin, 1) * 0.01;
    this.bounds = [begin - margin, Math.max(end, begin + 1) + margin];
    [this.begin, this.end] = this.bounds;
    this.laneCount = laneCount;
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  #changed() {
    this.#listeners.forEach((listener) => listener());
  }

  resize(width, height) {
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
    // All lanes, if they fit.
    this.laneHeight = clamp(Math.floor(this.height / (this.laneCount + 1)), 20, 26);
    this.#set(this.begin, this.end, this.top);
  }

  get span() {
    return this.end - this.begin;
  }

  get isWhole() {
    return this.span >= (this.bounds[1] - this.bounds[0]) * 0.999;
  }

  x(time) {
    return (time - this.begin) / this.span * this.width;
  }

  time(x) {
    return this.begin + x / this.width * this.span;
  }

  y(lane) {
    return lane * this.laneHeight - this.top;
  }

  lane(y) {
    return Math.floor((y + this.top) / this.laneHeight);
  }

  get lowest() {
    return Math.max(0, (this.laneCount + 1) * this.laneHeight - this.height);
  }

  #set(begin, end, top) {
    const [first, last] = this.bounds;
    const span = clamp(end - begin, shortestSpan, last - first);
    this.begin = clamp(begin, first, last - span);
    this.end = this.begin + span;
    this.top = clamp(top, 0, this.lowest);
    this.#changed();
  }

  // Moves by pixels.
  pan(dx, dy) {
    this.#goal = null;
    const shift = dx / this.width * this.span;
    this.#set(this.begin + shift, this.end + shift, this.top + dy);
  }

  // The time at x stays where it is.
  zoom(factor, x) {
    this.#goal = null;
    const span = clamp(this.span * factor, shortestSpan, this.bounds[1] - this.bounds[0]);
    const time = this.time(x);
    const begin = time - x / this.width * span;
    this.#set(begin, begin + span, this.top);
  }

  // Shows a span of time and, if given, scrolls to a place.
  show(begin, end, top = this.top) {
    const least = shortestSpan / 2;
    const middle = (begin + end) / 2;
    const half = Math.max((end - begin) / 2, least);
    const from = [this.begin, this.end, this.top];
    const to = [middle - half, middle + half, clamp(top, 0, this.lowest)];
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#goal = null;
      this.#set(...to);
      return;
    }
    const started = performance.now();
    const goal = { to };
    this.#goal = goal;
    const step = (now) => {
      if (this.#goal !== goal) {
        return;
      }
      const part = clamp((now - started) / animation, 0, 1);
      const eased = 1 - (1 - part) ** 3;
      this.#set(...from.map((value, i) => value + (to[i] - value) * eased));
      if (part < 1) {
        requestAnimationFrame(step);
      } else {
        this.#goal = null;
      }
    };
    requestAnimationFrame(step);
  }

  zoomAnimated(factor) {
    const [begin, end, top] = this.#goal?.to ?? [this.begin, this.end, this.top];
    const middle = (begin + end) / 2;
    const [first, last] = this.bounds;
    const half = clamp((end - begin) * factor, shortestSpan, last - first) / 2;
    const center = clamp(middle, first + half, last - half);
    this.show(center - half, center + half, top);
  }

  panAnimated(columns, rows) {
    const [begin, end, top] = this.#goal?.to ?? [this.begin, this.end, this.top];
    const [first, last] = this.bounds;
    const shift = clamp((end - begin) * columns, first - begin, last - end);
    this.show(begin + shift, end + shift, top + rows * this.laneHeight);
  }

  showAll() {
    this.show(...this.bounds, 0);
  }

  get animating() {
    return this.#goal !== null;
  }

  // Brings a process into view, and zooms in or out only if it could not be seen.
  reveal(start, stop, lane) {
    const [begin, end, top] = this.#goal?.to ?? [this.begin, this.end, this.top];
    const span = end - begin;
    const length = stop - start;
    let wanted = span;
    if (length < span / this.width * 3) {
      wanted = Math.max(length * 40, span / 50, shortestSpan);
    } else if (length > span) {
      wanted = length * 1.2;
    }
    const inside = start >= begin && stop <= end && wanted === span;
    const middle = clamp((start + stop) / 2, this.bounds[0] + wanted / 2, this.bounds[1] - wanted / 2);
    const y = lane * this.laneHeight;
    const visible = y >= top + this.laneHeight && y <= top + this.height - 2 * this.laneHeight;
    this.show(inside ? begin : middle - wanted / 2, inside ? end : middle + wanted / 2,
              visible ? top : y - this.height / 3);
  }
}
