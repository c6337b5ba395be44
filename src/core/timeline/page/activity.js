// SPDX-License-Identifier: GPL-2.0-only
// Running processes and CPU use over time. The CPU time of a process is spread evenly over its life,
// because the recording has its sum only.

// The first place in a sorted array whose value is greater than `value`.
export function upperBound(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > value) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

export class Activity {
  constructor(recording) {
    const { count, start, stop, byStart } = recording;
    const byStop = byStart.slice().sort((a, b) => stop[a] - stop[b]);
    // Starts and ends, by time. An end, which has `count` added, precedes a start of the same time.
    const events = new Uint32Array(2 * count);
    this.times = new Float64Array(2 * count);
    for (let i = 0, nextStart = 0, nextStop = 0; i < 2 * count; i++) {
      const isStart = nextStart < count && start[byStart[nextStart]] < stop[byStop[nextStop]];
      const process = isStart ? byStart[nextStart++] : byStop[nextStop++];
      events[i] = isStart ? process : process + count;
      this.times[i] = isStart ? start[process] : stop[process];
    }
    this.#sum(recording, events);
  }

  // After each event: processes, CPUs in use, and threads that wait for one.
  #sum(recording, events) {
    this.running = new Int32Array(events.length);
    this.cpu = new Float64Array(events.length);
    this.waiting = new Float64Array(events.length);
    let [running, cpu, waiting] = [0, 0, 0];
    events.forEach((event, i) => {
      const process = event % recording.count;
      const direction = event < recording.count ? 1 : -1;
      const duration = recording.stop[process] - recording.start[process];
      running += direction;
      if (recording.ended[process] && duration > 0) {
        cpu += direction * recording.cpu(process) / duration;
        waiting += direction * (recording.processes.cpu_wait[process] ?? 0) / duration;
      }
      this.running[i] = running;
      // Rounding errors add up to less than this.
      this.cpu[i] = Math.abs(cpu) < 1e-6 ? 0 : cpu;
      this.waiting[i] = Math.abs(waiting) < 1e-6 ? 0 : waiting;
    });
  }

  // For each of `columns` equal parts of a time span: the most processes, and the average use.
  sample(begin, end, columns) {
    const samples = {
      running: new Float64Array(columns), cpu: new Float64Array(columns), waiting: new Float64Array(columns),
    };
    const width = (end - begin) / columns;
    let next = upperBound(this.times, begin);
    for (let column = 0; column < columns; column++) {
      const columnEnd = begin + (column + 1) * width;
      let at = columnEnd - width;
      let most = next > 0 ? this.running[next - 1] : 0;
      let [cpu, waiting] = [0, 0];
      for (;;) {
        const until = next < this.times.length ? Math.min(this.times[next], columnEnd) : columnEnd;
        if (next > 0) {
          cpu += this.cpu[next - 1] * (until - at);
          waiting += this.waiting[next - 1] * (until - at);
        }
        at = until;
        if (next >= this.times.length || this.times[next] > columnEnd) {
          break;
        }
        most = Math.max(most, this.running[next++]);
      }
      samples.running[column] = most;
      samples.cpu[column] = cpu / width;
      samples.waiting[column] = waiting / width;
    }
    return samples;
  }

  // At one point in time.
  at(time) {
    const i = upperBound(this.times, time) - 1;
    return i < 0 ? { running: 0, cpu: 0, waiting: 0 }
      : { running: this.running[i], cpu: this.cpu[i], waiting: this.waiting[i] };
  }
}
