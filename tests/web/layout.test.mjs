// SPDX-License-Identifier: GPL-2.0-only
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers } from './recordings.mjs';
import { source } from './source.mjs';

const { Lanes } = await source('layout');
const { Activity } = await source('activity');

// What Lanes and Activity need of a recording.
function recordingOf(processes) {
  const column = (key) => Float64Array.from(processes, (p) => p[key]);
  const [start, stop] = [column('start'), column('stop')];
  const parent = Int32Array.from(processes, (p) => p.parent);
  const byStart = Uint32Array.from(processes.keys()).sort((a, b) => start[a] - start[b] || stop[a] - stop[b] || a - b);
  const children = processes.map((_, i) => Array.from(byStart).filter((child) => parent[child] === i));
  return {
    count: processes.length, start, stop, parent, byStart, ended: new Uint8Array(processes.length).fill(1),
    childrenOf: (i) => children[i],
    cpu: (i) => processes[i].cpu ?? 0,
    processes: { cpu_wait: processes.map((p) => p.wait ?? 0) },
  };
}

// A tree whose processes begin during their parent's life. Some outlive it.
function randomTree(seed, count) {
  const random = randomNumbers(seed);
  const processes = [{ parent: -1, start: 0, stop: 1e6 }];
  while (processes.length < count) {
    const parent = random() < 0.02 ? -1 : Math.floor(random() ** 2 * processes.length);
    const { start: first, stop: last } = parent < 0 ? processes[0] : processes[parent];
    const start = Math.floor(first + random() * (last - first));
    const stop = random() < 0.1 ? start : Math.floor(start + random() ** 3 * (last - start) * 1.3);
    processes.push({ parent, start, stop, cpu: random() * (stop - start), wait: random() * (stop - start) });
  }
  return processes;
}

test('no two processes of a lane overlap, and a child is below its parent', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const processes = randomTree(seed, 400);
    const lanes = new Lanes(recordingOf(processes));
    processes.forEach((p, i) => {
      assert.ok(p.parent < 0 || lanes.of[i] > lanes.of[p.parent], `seed ${seed}: ${i} is not below ${p.parent}`);
    });
    let members = 0;
    for (let lane = 0; lane < lanes.count; lane++) {
      let end = -1;
      for (let at = lanes.all.first[lane]; at < lanes.all.first[lane + 1]; at++, members++) {
        const process = lanes.all.members[at];
        assert.equal(lanes.of[process], lane);
        assert.ok(processes[process].start >= end, `seed ${seed}: lane ${lane} has an overlap`);
        end = processes[process].stop;
      }
    }
    assert.equal(members, processes.length);
  }
});

test('processes that follow each other share a lane', () => {
  const jobs = Array.from({ length: 1000 }, (_, i) => ({ parent: 0, start: i * 10, stop: i * 10 + 9 }));
  const lanes = new Lanes(recordingOf([{ parent: -1, start: 0, stop: 10000 }, ...jobs]));
  assert.equal(lanes.count, 2);
});

test('blocks of children stay together', () => {
  // Two children, at the same time, with a child each.
  const lanes = new Lanes(recordingOf([
    { parent: -1, start: 0, stop: 100 }, { parent: 0, start: 1, stop: 90 }, { parent: 0, start: 2, stop: 80 },
    { parent: 1, start: 10, stop: 20 }, { parent: 2, start: 10, stop: 20 },
  ]));
  assert.deepEqual(Array.from(lanes.of), [0, 1, 3, 2, 4]);
});

test('100,000 children that live at the same time are placed in a second', () => {
  const start = performance.now();
  const processes = [{ parent: -1, start: 0, stop: 1e9 }];
  for (let i = 0; i < 100_000; i++) {
    processes.push({ parent: 0, start: i, stop: 1e9 });
  }
  const byStart = Uint32Array.from(processes.keys());
  const lanes = new Lanes({
    count: processes.length, byStart, parent: Int32Array.from(processes, (p) => p.parent),
    start: Float64Array.from(processes, (p) => p.start), stop: Float64Array.from(processes, (p) => p.stop),
    childrenOf: (i) => i === 0 ? byStart.subarray(1) : byStart.subarray(0, 0),
  });
  assert.equal(lanes.count, 100_001);
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`); // on a busy machine
});

test('a chain of 100,000 generations is placed', () => {
  const count = 100_000;
  const byStart = Uint32Array.from({ length: count }, (_, i) => i);
  const lanes = new Lanes({
    count, byStart, parent: Int32Array.from(byStart, (i) => i - 1), start: Float64Array.from(byStart),
    stop: new Float64Array(count).fill(1e9), childrenOf: (i) => byStart.subarray(i + 1, i + 2),
  });
  assert.equal(lanes.count, count);
});

test('activity is what adding up every process gives', () => {
  const processes = randomTree(7, 300);
  const activity = new Activity(recordingOf(processes));
  const [begin, end, columns] = [1000, 900_000, 137];
  const samples = activity.sample(begin, end, columns);
  const width = (end - begin) / columns;
  for (let column = 0; column < columns; column++) {
    const [from, to] = [begin + column * width, begin + (column + 1) * width];
    let [cpu, waiting] = [0, 0];
    for (const { start, stop, cpu: used, wait } of processes) {
      if (stop > start && used !== undefined) {
        const share = Math.max(0, Math.min(stop, to) - Math.max(start, from)) / (stop - start);
        cpu += used * share / width;
        waiting += wait * share / width;
      }
    }
    assert.ok(Math.abs(samples.cpu[column] - cpu) < 1e-3, `CPU of column ${column}`);
    assert.ok(Math.abs(samples.waiting[column] - waiting) < 1e-3, `waiting of column ${column}`);
    const at = processes.filter((p) => p.start <= from && p.stop > from).length;
    const alive = processes.filter((p) => p.start <= to && p.stop > from).length;
    assert.ok(samples.running[column] >= at && samples.running[column] <= alive, `processes of column ${column}`);
  }
});
