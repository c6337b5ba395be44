// SPDX-License-Identifier: GPL-2.0-only
// Colours, which style.css defines for light and dark.

// Programs share so many colours. tests/web checks that they stay apart for colour-blind eyes.
export const programColors = 8;

// A program has the same colour in every recording. The first value was chosen so that programs of common
// builds, such as sh, cc1plus, as and ld, mostly differ.
export function programColor(name) {
  let hash = 14887;
  for (const byte of new TextEncoder().encode(name)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % programColors;
}

const names = [
  'background', 'foreground', 'faint', 'grid', 'bar-text', 'failure', 'failure-text', 'halo', 'accent', 'veil',
  'running', 'selection', 'cpu', 'waiting', 'loss',
];

export class Theme {
  constructor() {
    this.read();
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    for (const name of names) {
      this[name.replace('-', '_')] = color(name);
    }
    this.font = style.getPropertyValue('--mono');
    this.programs = Array.from({ length: programColors }, (_, i) => color(`program-${i}`));
    // Time without CPU.
    // Waiting for a CPU.
    this.lines = Array.from({ length: programColors }, (_, i) => color(`program-${i}-line`));
    this.pale = Array.from({ length: programColors }, (_, i) => color(`program-${i}-pale`));
  }
}

// Diagonal lines, as a pattern for any canvas with this ratio of pixels.
export function hatch(context, color, distance, ratio) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = Math.max(2, Math.round(distance * ratio));
  const pen = tile.getContext('2d');
  pen.strokeStyle = color;
  pen.lineWidth = tile.width / 3.2;
  pen.beginPath();
  for (const shift of [-1, 0, 1]) {
    pen.moveTo(shift * tile.width - 1, tile.width + 1);
    pen.lineTo((shift + 1) * tile.width + 1, -1);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, 'repeat');
  pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  return pattern;
}
