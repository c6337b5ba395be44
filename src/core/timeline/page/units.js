// SPDX-License-Identifier: GPL-2.0-only
// Numbers for people.

const durationUnits = [[1, 'ns'], [1e3, 'µs'], [1e6, 'ms'], [1e9, 's']];

// Three digits: `35.2 ms`, `1.24 s`, `12 min 03 s`.
export function formatDuration(ns) {
  if (ns >= 60e9) {
    const seconds = Math.floor(ns / 1e9);
    const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
    const two = (value) => String(value).padStart(2, '0');
    return hours === 0 ? `${minutes} min ${two(seconds % 60)} s`
      : hours < 48 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }
  // 999.96 µs is 1.00 ms.
  const [factor, unit] = durationUnits.findLast(([size]) => ns >= size * 0.9995) ?? durationUnits[0];
  const value = ns / factor;
  const decimals = factor === 1 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(decimals)} ${unit}`;
}

export function formatBytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; bytes >= 1023.5 && unit < units.length - 1; unit++) {
    bytes /= 1024;
  }
  return `${unit > 0 && bytes < 9.95 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

export function formatCount(value) {
  return value.toLocaleString('en-US');
}

export function plural(count, noun, nouns = `${noun}s`) {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

// A distance of ticks that is at least so many nanoseconds, and that people count in.
export function tickStep(least) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
  for (const unit of [1, 1e3, 1e6]) {
    const step = steps.find((candidate) => candidate * unit >= least);
    if (step) {
      return step * unit;
    }
  }
  const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200];
  return (seconds.find((candidate) => candidate * 1e9 >= least) ?? Math.ceil(least / 86400e9) * 86400) * 1e9;
}

// A point in time, with as many decimals as the step between ticks needs: `1.250 s`, `2:05`.
export function formatMoment(ns, step) {
  const sign = ns < 0 ? '−' : '';
  ns = Math.abs(ns);
  const decimals = Math.min(9, Math.max(0, Math.ceil(9 - Math.log10(step) - 1e-9)));
  if (ns < 60e9) {
    return `${sign}${(ns / 1e9).toFixed(decimals)} s`;
  }
  const total = Number((ns / 1e9).toFixed(decimals));
  const seconds = (total % 60).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, '0');
  const minutes = Math.floor(total / 60);
  return minutes < 60 ? `${sign}${minutes}:${seconds}`
    : `${sign}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${seconds}`;
}
