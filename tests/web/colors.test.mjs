// SPDX-License-Identifier: GPL-2.0-only
// Colours of programs stay apart for colour-blind eyes. Simulation: Machado, Oliveira and Fernandes 2009,
// severity 1.0. Distance: OKLab.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { source } from './source.mjs';

const { programColor, programColors } = await source('theme');

const eyes = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

function linear(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
}

function seen(matrix, [r, g, b]) {
  return [0, 3, 6].map((row) => matrix[row] * r + matrix[row + 1] * g + matrix[row + 2] * b)
    .map((v) => Math.min(1, Math.max(0, v)));
}

function oklab([r, g, b]) {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}

const distance = (a, b) => Math.hypot(...a.map((v, i) => v - b[i]));
const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (a, b) => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

// Light and dark: the first and the second block of the style sheet that define colours.
const css = fs.readFileSync(path.join(process.env.BPFTRAP_PAGE_SOURCES, 'style.css'), 'utf8');
function theme(which) {
  const all = (name) => Array.from(css.matchAll(new RegExp(`--${name}: (#[0-9a-f]{6});`, 'g')), (m) => m[1])[which];
  return { programs: Array.from({ length: programColors }, (_, i) => all(`program-${i}`)), text: all('bar-text'),
           failure: all('failure'), failureText: all('failure-text'), background: all('background'),
           foreground: all('foreground'), muted: all('muted') };
}

for (const [which, name] of [[0, 'light'], [1, 'dark']]) {
  const { programs, text, failure, failureText, background, foreground, muted } = theme(which);

  test(`${name}: colours of programs differ for all eyes`, () => {
    for (const [eye, matrix] of Object.entries(eyes)) {
      const colors = programs.map((hex) => oklab(seen(matrix, linear(hex))));
      colors.forEach((a, i) => colors.slice(0, i).forEach((b, j) => {
        assert.ok(distance(a, b) > 0.07, `${eye}: ${programs[i]} and ${programs[j]} are ${distance(a, b).toFixed(3)} apart`);
      }));
    }
  });

  test(`${name}: texts can be read (WCAG AA)`, () => {
    for (const [a, b] of [...programs.map((hex) => [text, hex]), [text, background], [failureText, failure],
                          [foreground, background], [muted, background], [failure, background]]) {
      assert.ok(contrast(linear(a), linear(b)) >= 4.5, `${a} on ${b}: ${contrast(linear(a), linear(b)).toFixed(2)}`);
    }
  });
}

test('programs of a build have colours of their own', () => {
  const colors = ['sh', 'g++', 'cc1plus', 'as', 'collect2', 'ld'].map(programColor);
  assert.ok(new Set(colors).size >= 5, colors.join(' '));
  // Stable: what a user has seen stays so.
  assert.deepEqual(colors, ['sh', 'g++', 'cc1plus', 'as', 'collect2', 'ld'].map(programColor));
});
